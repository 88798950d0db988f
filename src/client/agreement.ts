/** Whether the workers have the key that this client encrypts under. Found out before anything encrypted is sent. */
import type { WorkerIdentity } from '../model/access.js';
import { SluiceError } from '../model/errors.js';
import type { KeyPrint } from '../model/sealed.js';
import { clean } from '../model/text.js';
import type { Link } from './connect.js';
import { asked } from './helper-run.js';

/** Longest wait for a worker's answer, in ms. */
const ANSWER_WITHIN = 5_000;
/** How long a yes is not asked for again, in ms. */
const HOLDS = 60_000;

const agreed = new WeakMap<Link, number>();

/**
 * Asks a worker for its keys, unless this client sends in clear or has asked within a minute. Without an answer in time it is sent: a
 * worker that cannot open it refuses it and says so. Errors: SLUICE_SETUP for keys that are not the workers'.
 */
export async function mustAgree(link: Link): Promise<void> {
  if (!link.codec.encrypts || Date.now() < (agreed.get(link) ?? 0)) return;
  const worker = await identityOf(link);
  if (worker === null) return;
  const why = disagreement(link.codec.keyPrints, worker.codecKeys);
  if (why !== null) throw new SluiceError('SLUICE_SETUP', `nothing was sent: ${why}`);
  agreed.set(link, Date.now() + HOLDS);
}

/** What a worker says of itself. Null when none answers in time. Errors: SLUICE_SETUP for an answer that this client has no key for. */
export async function identityOf(link: Link): Promise<WorkerIdentity | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, ANSWER_WITHIN, null);
  });
  const answer = asked<WorkerIdentity>(link, 'workerIdentity', 'which policy and keys').catch((error: unknown) => {
    if (error instanceof SluiceError && error.code === 'SLUICE_SETUP') throw error;
    return null;
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

/** Why workers do not open what is encrypted here, and what to do; null when they do. */
export function disagreement([first]: KeyPrint[], theirs: KeyPrint[]): string | null {
  if (first === undefined) return null;
  const same = theirs.find(({ id }) => id === first.id);
  if (same?.print === first.print) return null;
  if (same !== undefined) {
    return `the key "${first.id}" is a different key here than on the workers; put their key of that id into SLUICE_CODEC_KEYS here, or give this one its own id and add it to every worker first`;
  }
  const have = theirs.length === 0 ? 'no keys' : `the keys ${clean(theirs.map(({ id }) => id).join(', '), 300)}`;
  const put =
    theirs.length === 0 ? 'unset SLUICE_CODEC_KEYS here' : 'put one of theirs first in SLUICE_CODEC_KEYS here';
  return `this client encrypts under the key "${first.id}" and the workers have ${have}; ${put}, or add "${first.id}" to SLUICE_CODEC_KEYS of every worker first`;
}
