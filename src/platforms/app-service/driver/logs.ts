/** What the application has logged of its errors, from the container's log on the volume. */
import { SluiceError } from '../../../model/errors.js';
import type { Spec } from '../../../model/spec.js';
import { reachOf } from '../../../strategies/registry.js';
import type { ErrorSample } from '../../port.js';
import { sample } from '../../shared/log-lines.js';
import type { Session } from './client.js';
import { listLogs, readLog } from './kudu.js';
import { readSite } from './read.js';
import { placeOf } from './site.js';

/** Bytes of each log that are read, from its end. */
const MOST = 1_000_000;
/** Logs that are read: the newest of each of as many instances. */
const FILES = 5;
/** When the line was printed, as the platform writes it before each. */
const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)\s+(.*)$/;

/**
 * The most frequent errors since `from` (ms since the epoch), three at most, from wherever a candidate ran: the volume in the
 * slot after a rollback, or production's with direct. Logs that cannot be read are not a failure: the list is empty then.
 */
export async function errors(session: Session, { spec, from }: { spec: Spec; from: number }): Promise<ErrorSample[]> {
  const slot = reachOf(spec) === 'atOnce' ? null : (session.target.slot ?? null);
  try {
    const arm = await readSite(session, slot);
    if (arm === null) return [];
    const place = placeOf(session.target, slot, arm);
    const files = (await listLogs(session, place)).filter(({ at }) => at >= from).sort((a, b) => b.at - a.at);
    const texts = await Promise.all(files.slice(0, FILES).map((file) => readLog(session, place, file, MOST)));
    return sample(texts.flatMap((text) => linesSince(text, from)));
  } catch (error) {
    if (error instanceof SluiceError) return [];
    throw error;
  }
}

/** Lines printed since then, without their time. Pure. */
export function linesSince(text: string, from: number): string[] {
  return text.split('\n').flatMap((line) => {
    const [, at = '', said = ''] = STAMP.exec(line) ?? [];
    return Date.parse(at) >= from ? [said] : [];
  });
}
