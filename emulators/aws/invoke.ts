/** Emulated AWS: calls a function, by version or by an alias whose weights are drawn for each call. */
import type { IncomingHttpHeaders } from 'node:http';
import { type Answer, type Call, json, parse } from '../http.js';
import { checkReserved } from './concurrency.js';
import type { Invocation } from './metrics.js';
import { INVOKED_AS } from './ministack.js';
import { Refusal } from './refusal.js';
import { isTimeout } from './reports.js';
import type { LambdaRequest } from './route.js';
import { draw } from './rules-alias.js';
import type { Store } from './store.js';

/**
 * Invoke through the alias's weights: the version is drawn here, and the server is called with that version.
 * `told` hears of every invocation that reached a version, or was throttled.
 */
export async function invoke(
  store: Store,
  request: LambdaRequest,
  call: Call,
  told: (invocation: Invocation) => void,
): Promise<Answer> {
  const at = Date.now();
  const alias = isAlias(request.qualifier) ? request.qualifier : null;
  const version = alias === null ? request.qualifier : draw(await store.aliasForInvoke(request, alias));
  const about = { where: request, resource: request.qualifier, alias, at, asked: version ?? '$LATEST' };
  const kind = call.headers['x-amz-invocation-type'];
  try {
    await checkReserved(store, request);
  } catch (error) {
    if (error instanceof Refusal) told({ ...about, version: about.asked, duration: 0, outcome: 'throttled' });
    throw error;
  }
  const query = new URLSearchParams(request.query);
  if (version === null) query.delete('Qualifier');
  else query.set('Qualifier', version);
  const search = query.toString() === '' ? '' : `?${query.toString()}`;
  // The log's tail tells the type of an error, which the server's own payload does not.
  const headers: IncomingHttpHeaders = { ...call.headers, 'x-amz-log-type': 'Tail' };
  if (alias !== null) headers[INVOKED_AS] = alias;
  const answer = await store.upstream.call({ ...call, path: `${request.prefix}${request.rest}${search}`, headers });
  if (kind !== 'DryRun') {
    const outcome = outcomeOf(answer);
    const executed = String(answer.headers['x-amz-executed-version'] ?? about.asked);
    if (outcome !== null) {
      told({ ...about, version: executed, duration: Date.now() - at, outcome, ...ended(answer, outcome) });
    }
  }
  return tidy(answer, call.headers['x-amz-log-type'] === 'Tail');
}

function isAlias(qualifier: string | null): qualifier is string {
  return qualifier !== null && qualifier !== '$LATEST' && !/^\d+$/.test(qualifier);
}

function ended(answer: Answer, outcome: Invocation['outcome']): Pick<Invocation, 'requestId' | 'timedOut'> {
  const requestId = answer.headers['x-amzn-requestid'];
  return {
    ...(typeof requestId === 'string' && outcome !== 'throttled' ? { requestId } : {}),
    timedOut: outcome === 'error' && isTimeout(answer),
  };
}

function outcomeOf(answer: Answer): Invocation['outcome'] | null {
  if (answer.status === 429) return 'throttled';
  if (answer.status >= 300) return null;
  return answer.headers['x-amz-function-error'] === undefined ? 'ok' : 'error';
}

/** The error's own type instead of the server's one word for all of them, and the log's tail only for who asked. */
function tidy(answer: Answer, wantsLog: boolean): Answer {
  const { 'x-amz-log-result': log, ...headers } = answer.headers;
  const kept = wantsLog ? answer.headers : headers;
  if (answer.headers['x-amz-function-error'] === undefined || typeof log !== 'string')
    return { ...answer, headers: kept };
  const body = parse(answer.body);
  if (body.errorType !== 'Runtime.HandlerError') return { ...answer, headers: kept };
  const stack = stackOf(Buffer.from(log, 'base64').toString('utf8'), String(body.errorMessage ?? ''));
  return json(answer.status, { ...body, errorType: stack?.type ?? 'Error', trace: stack?.lines ?? [] }, kept);
}

/** Finds `<Type>: <message>` and the frames below it, as V8 prints an error. */
function stackOf(log: string, message: string): { type: string; lines: string[] } | null {
  const lines = log.split('\n');
  const first = message.split('\n')[0] ?? '';
  for (const [i, line] of lines.entries()) {
    const found = /^([A-Za-z_$][\w$.]*)(?: \[[^\]]*\])?(?:: (.*))?$/.exec(line.trim());
    if (found === null || (found[2] ?? '') !== first) continue;
    const frames = lines.slice(i + 1).filter((each) => /^\s+at /.test(each));
    if (found[2] !== undefined || frames.length > 0) return { type: found[1] ?? 'Error', lines: [line, ...frames] };
  }
  return null;
}
