/** One call of exactly one release. */
import { bounded, TimeOver } from '../../../health/bounded.js';
import { SluiceError } from '../../../model/errors.js';
import { clean } from '../../../model/text.js';
import type { ReleaseAnswer } from '../../port.js';
import type { Session } from './client.js';
import { headersFor } from './hosts.js';
import type { HttpAnswer } from './http.js';
import type { Place } from './site.js';

/** What a probe of kind invoke may say; GET / without. */
interface Payload {
  method?: unknown;
  path?: unknown;
  headers?: unknown;
  body?: unknown;
}

/** One request to the place that holds the release. A status of 500 or more is the release's own failure. Errors: SLUICE_PROBE. */
export async function invoke(
  session: Session,
  { place, release, payload, timeoutMs }: { place: Place; release: string; payload: unknown; timeoutMs: number },
): Promise<ReleaseAnswer> {
  const { ctx, clients } = session;
  const { path, ...request } = requestOf(place, payload);
  const started = performance.now();
  try {
    const answer = await bounded(ctx.signal, timeoutMs, (signal) =>
      clients.send(`https://${place.host}${path}`, { ...request, signal }),
    );
    return answerOf(answer, release, performance.now() - started);
  } catch (error) {
    if (ctx.signal.aborted) throw error;
    throw new SluiceError(
      'SLUICE_PROBE',
      error instanceof TimeOver
        ? `${place.name} did not answer within ${timeoutMs} ms`
        : `${place.name} did not answer: ${clean((error as Error).message, 200)}`,
    );
  }
}

function requestOf(place: Place, payload: unknown) {
  const { method, path, headers, body } = (typeof payload === 'object' && payload !== null ? payload : {}) as Payload;
  const given = typeof headers === 'object' && headers !== null ? (headers as Record<string, string>) : {};
  return {
    method: typeof method === 'string' ? method : 'GET',
    path: typeof path === 'string' && path.startsWith('/') ? path : '/',
    headers: { ...given, ...headersFor(place), 'x-sluice-probe': '1' },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  };
}

function answerOf({ status, headers, body }: HttpAnswer, release: string, latencyMs: number): ReleaseAnswer {
  const requestId = headers['x-ms-request-id'];
  const said = parse(body);
  return {
    executedVersion: release,
    functionError: status < 500 ? null : { type: `HTTP ${status}`, message: clean(said, 300) },
    body: said,
    status,
    latencyMs,
    ...(requestId === undefined ? {} : { requestId }),
  };
}

function parse(body: Buffer): unknown {
  const text = body.toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
