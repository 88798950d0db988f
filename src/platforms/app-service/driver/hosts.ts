/** Requests to the hosts of a site, as a user would send them. */
import { SluiceError } from '../../../model/errors.js';
import type { SiteConfiguration } from '../../../model/spec.js';
import { nextDelay, pause } from '../../shared/waiting.js';
import type { Session } from './client.js';
import type { HttpAnswer } from './http.js';
import type { Place } from './site.js';

/** Keeps production's router from sending the request to a slot ("Set up staging environments", route traffic manually). */
const STAY = { cookie: 'x-ms-routing-name=self' };
/** Longest single answer, in ms. */
const ONE = 15_000;

/** What a request to exactly this place carries. */
export function headersFor(place: Pick<Place, 'slot'>): Record<string, string> {
  return place.slot === null ? { ...STAY } : {};
}

/**
 * "Deployed" is not "running" (azure-functions-host#5663): the host is asked until the marker's answer holds the release and
 * the warm-up path answers one of its statuses. Without either, until there is an answer that is no server error.
 * Errors: SLUICE_PROBE when that does not come in time, with what came instead.
 */
export async function waitServing(
  session: Session,
  place: Place,
  release: string,
  { marker, warmUp }: Pick<SiteConfiguration, 'marker' | 'warmUp'>,
): Promise<void> {
  const wanted: [string, (answer: HttpAnswer) => string | null][] = [];
  if (warmUp !== undefined)
    wanted.push([warmUp.path, ({ status }) => (warmUp.statuses.includes(status) ? null : `status ${status}`)]);
  if (marker !== undefined) wanted.push([marker, (answer) => unmarked(answer, release)]);
  if (wanted.length === 0) wanted.push(['/', ({ status }) => (status < 500 ? null : `status ${status}`)]);
  for (const [path, unmet] of wanted) await waitFor(session, place, { path, release, unmet });
}

function unmarked({ status, body }: HttpAnswer, release: string): string | null {
  if (status !== 200) return `status ${status}`;
  return body.includes(release) ? null : 'an answer without the release in it';
}

async function waitFor(
  session: Session,
  place: Place,
  { path, release, unmet }: { path: string; release: string; unmet: (answer: HttpAnswer) => string | null },
): Promise<void> {
  const end = Date.now() + session.waits.serving;
  for (let delay: number | null = null; ; ) {
    const why = await lookAt(session, `https://${place.host}${path}`, headersFor(place), unmet);
    if (why === null) return;
    if (Date.now() >= end) {
      throw new SluiceError(
        'SLUICE_PROBE',
        `${place.name} does not serve ${release}: GET ${path} gave ${why} for ${session.waits.serving / 1000} s; look at the application's log`,
      );
    }
    delay = nextDelay(delay);
    await pause(session.ctx, delay);
  }
}

async function lookAt(
  { ctx, clients }: Session,
  url: string,
  headers: Record<string, string>,
  unmet: (answer: HttpAnswer) => string | null,
): Promise<string | null> {
  try {
    return unmet(await clients.send(url, { headers, signal: ctx.signal, timeoutMs: ONE }));
  } catch (error) {
    if (ctx.signal.aborted) throw error;
    return 'no answer';
  }
}
