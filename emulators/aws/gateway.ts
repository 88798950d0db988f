/** Emulated AWS: the HTTP gateway in front of ministack that adds AWS's own rules, faults and a log of writes. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Answer, type Call, json, type OnCall, parse, readBody, send, upstreamOf } from '../http.js';
import { actionOf, checkRole } from './actions.js';
import { ProvisionedConcurrency } from './concurrency.js';
import { invoke } from './invoke.js';
import { Traffic, type Write, WriteLog } from './logs.js';
import { Metrics } from './metrics.js';
import { Refusal } from './refusal.js';
import { Reports } from './reports.js';
import { type LambdaRequest, lambdaRequest, scopeOf } from './route.js';
import { checkCreateAlias, checkUpdateAlias } from './rules-alias.js';
import { checkCode, checkIdle, checkPublish, withState } from './rules-code.js';
import { checkUpload, checkVariables } from './rules-configuration.js';
import { key, Store } from './store.js';

/** Writes that name no function in their path, and are for one all the same. */
const NOTED = new Set(['UpdateEventSourceMapping', 'TagResource', 'UntagResource']);

export interface GatewayOptions {
  port: number;
  /** Base URL of the server behind. */
  upstream: string;
  /** Milliseconds an invocation's metrics are held back. */
  metricsDelayMs: number;
  /** Milliseconds provisioned concurrency takes to be ready. */
  provisioningMs: number;
  /** Actions that an access key may do; one without an entry may do everything. */
  roles: Record<string, readonly string[]>;
  /** File that gets each write as a JSON line. */
  logFile: string | null;
  /** Called before a write gets its turn: where a test lets it land late. */
  beforeWrite?: (asked: AskedWrite) => Promise<void>;
  /** Called after each write's effect and before its answer: where a test lets a worker die in between. */
  afterWrite?: (write: Write) => Promise<void>;
  onCall?: OnCall;
}

/** What a write is about, before it has any effect. */
export type AskedWrite = Pick<LambdaRequest, 'operation' | 'function' | 'qualifier'>;

export interface Gateway {
  url: string;
  writes: WriteLog;
  traffic: Traffic;
  close(): Promise<void>;
}

/**
 * The HTTP server that has the rules of AWS which the server behind lacks. It looks at Lambda's functions only; the rest
 * passes through untouched.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const upstream = upstreamOf(options.upstream);
  const store = new Store(upstream);
  const metrics = new Metrics(upstream, options.metricsDelayMs);
  const reports = new Reports(upstream, store);
  const writes = new WriteLog(options.logFile);
  const traffic = new Traffic();
  const provisioned = new ProvisionedConcurrency(options.provisioningMs);
  const inTurn = turns();

  const answer = async (call: Call): Promise<Answer> => {
    const own = ownPage(call, writes, traffic);
    if (own !== null) return own;
    checkRole(call, options.roles);
    const request = lambdaRequest(call.method, call.path, call.headers);
    if (request === null) return beside(call);
    switch (request.operation) {
      case 'Invoke':
      case 'InvokeWithResponseStream':
        return invoke(store, request, call, (invocation) => {
          metrics.add(invocation);
          reports.add(invocation);
          traffic.add(invocation);
        });
      case 'GetFunction':
      case 'GetFunctionConfiguration':
        return withState(await upstream.call(call));
      case 'GetProvisionedConcurrencyConfig':
        return provisioned.shown(request, await upstream.call(call));
      case 'ListProvisionedConcurrencyConfigs':
        return provisioned.list(store, request);
    }
    if (call.method === 'GET' || call.method === 'HEAD') return upstream.call(call);
    // CreateFunction has its function's name in the body.
    const where =
      request.function === '' ? { ...request, function: String(parse(call.body).FunctionName ?? '') } : request;
    await options.beforeWrite?.(where);
    return inTurn(key(where), async () => {
      const written = await refusing(() => write(request, call));
      store.forget(where);
      writes.add(request, call.body, written);
      const entry = writes.all().at(-1);
      if (entry !== undefined) await options.afterWrite?.(entry);
      return written;
    });
  };

  /** What names no function in its path. Writes of mappings and tags are written down too. */
  const beside = async (call: Call): Promise<Answer> => {
    const answered = await upstream.call(call);
    const operation = actionOf(call)?.replace(/^lambda:/, '') ?? '';
    if (!NOTED.has(operation)) return answered;
    const named = /:function:([^:]+)/.exec(String(parse(call.body).FunctionName ?? ''))?.[1] ?? '';
    writes.add({ operation, function: named, qualifier: null, scope: scopeOf(call.headers) }, call.body, answered);
    const entry = writes.all().at(-1);
    if (entry !== undefined) await options.afterWrite?.(entry);
    return answered;
  };

  /** A write, alone at its function: what a rule has read is still true when the write takes effect. */
  const write = async (request: LambdaRequest, call: Call): Promise<Answer> => {
    switch (request.operation) {
      case 'CreateFunction':
        checkUpload(request.operation, call.body);
        checkVariables(call.body);
        return upstream.call(call);
      case 'CreateAlias':
        await checkCreateAlias(store, request, call.body);
        return upstream.call(call);
      case 'UpdateAlias': {
        await checkUpdateAlias(store, request, call.body);
        const before = await store.alias(request, request.qualifier ?? '');
        const written = await upstream.call(call);
        const moved = parse(written.body).FunctionVersion !== before.FunctionVersion;
        if (written.status < 300 && moved) provisioned.aliasMoved(request, request.qualifier ?? '');
        return written;
      }
      case 'UpdateFunctionCode':
        checkUpload(request.operation, call.body);
        await checkCode(store, request, call.body);
        return withState(await upstream.call(call));
      case 'UpdateFunctionConfiguration':
        checkVariables(call.body);
        await checkIdle(store, request, call.body);
        return withState(await upstream.call(call));
      case 'PublishVersion':
        return (await checkPublish(store, request, call.body)) ?? (await upstream.call(call));
      case 'PutProvisionedConcurrencyConfig':
        await provisioned.check(store, request);
        return provisioned.put(request, await upstream.call(call));
      case 'DeleteProvisionedConcurrencyConfig':
        provisioned.deleted(request);
        return upstream.call(call);
      case 'DeleteFunction': {
        const deleted = await upstream.call(call);
        if (deleted.status < 300) provisioned.functionDeleted(request);
        return deleted;
      }
      default:
        return upstream.call(call);
    }
  };

  const server = createServer((incoming, response) => {
    void serve(incoming, response, answer, options.onCall);
  });
  // An idle connection is never closed from here: a client that takes it up at that moment would lose its request.
  server.keepAliveTimeout = 0;
  await listen(server, options.port);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  return {
    url: `http://127.0.0.1:${port}`,
    writes,
    traffic,
    close: async () => {
      await Promise.all([metrics.close(), reports.close()]);
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      upstream.close();
    },
  };
}

async function serve(
  incoming: IncomingMessage,
  response: ServerResponse,
  answer: (call: Call) => Promise<Answer>,
  onCall?: OnCall,
): Promise<void> {
  try {
    const body = await readBody(incoming);
    const { method = 'GET', url = '/', headers } = incoming;
    const call = { method, path: url, headers, body };
    const answered = await refusing(() => answer(call));
    onCall?.(call, answered);
    send(response, answered);
  } catch {
    // The client went away in the middle; what it asked for was done or not, as on any network.
    response.destroy();
  }
}

async function refusing(work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal) return error.answer();
    const why = error instanceof Error ? error.message : String(error);
    return new Refusal(500, 'ServiceException', `The emulated AWS cannot be reached: ${why}`).answer();
  }
}

/** The gateway's own pages, for tests and the demo. */
function ownPage(call: Call, writes: WriteLog, traffic: Traffic): Answer | null {
  const pages: Record<string, { get: () => unknown; clear: () => void }> = {
    '/_sluice/writes': { get: () => writes.all(), clear: () => writes.clear() },
    '/_sluice/traffic': { get: () => traffic.counts(), clear: () => traffic.clear() },
    '/_sluice/health': { get: () => ({ ok: true }), clear: () => undefined },
  };
  const page = pages[call.path];
  if (page === undefined) return null;
  if (call.method === 'DELETE') page.clear();
  return json(200, page.get());
}

/** Runs what has the same key one after the other. */
function turns(): <T>(of: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return (of, work) => {
    const mine = (last.get(of) ?? Promise.resolve()).then(work);
    const settled = mine.catch(() => undefined);
    last.set(of, settled);
    void settled.then(() => {
      if (last.get(of) === settled) last.delete(of);
    });
    return mine;
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
}
