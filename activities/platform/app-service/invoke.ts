import { SluiceError } from '../../../src/model/errors.js';
import { clean } from '../../../src/model/text.js';
import type { ReleaseAnswer } from '../platform.js';
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
  // Not AbortSignal.any: on a signal that lives as long as a watcher it would grow with each probe.
  const stop = new AbortController();
  let late = false;
  const cancel = () => stop.abort();
  const timer = setTimeout(() => {
    late = true;
    stop.abort();
  }, timeoutMs);
  session.ctx.signal.addEventListener('abort', cancel, { once: true });
  if (session.ctx.signal.aborted) cancel();
  const started = performance.now();
  try {
    const { path, ...request } = requestOf(place, payload);
    const answer = await session.clients.send(`https://${place.host}${path}`, { ...request, signal: stop.signal });
    return answerOf(answer, release, performance.now() - started);
  } catch (error) {
    if (session.ctx.signal.aborted) throw error;
    throw new SluiceError(
      'SLUICE_PROBE',
      late
        ? `${place.name} did not answer within ${timeoutMs} ms`
        : `${place.name} did not answer: ${clean((error as Error).message, 200)}`,
    );
  } finally {
    clearTimeout(timer);
    session.ctx.signal.removeEventListener('abort', cancel);
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
