/** The SDK clients of a subscription, and the one way to call them: within the budget, with errors in our words. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { WebSiteManagementClient } from '@azure/arm-appservice';
import type { TokenCredential } from '@azure/identity';
import { MetricsClient } from '@azure/monitor-query-metrics';
import { credentialOf } from '../../../cloud/azure-credentials.js';
import type { AppServiceTarget } from '../../../model/spec.js';
import { targetName } from '../../../model/target.js';
import type { Artifacts } from '../../../store/index.js';
import type { CallContext } from '../../port.js';
import type { Budget } from '../../shared/budget.js';
import { type Answer, refusal, toSluiceError } from './errors.js';
import { createSend, type HttpAnswer, type HttpRequest, type Send } from './http.js';

/** What talks to one subscription and region. */
export interface Clients {
  arm: WebSiteManagementClient;
  metrics: MetricsClient;
  send: Send;
  /** ARM's address, without a slash at its end. */
  endpoint: string;
  /** A bearer token for ARM, which Kudu takes too. */
  token(signal: AbortSignal): Promise<string>;
}

export interface AppServiceDriverOptions {
  clients: Clients;
  budget: Budget;
  artifacts: Artifacts;
  waits?: Waits;
}

/** Longest waits of a call, in ms. */
export interface Waits {
  /** Until a host answers as it must. A swap may answer 503 for 20 s after it (azure-functions-host#6109). */
  serving: number;
  /** Until an operation on the site ends, before going back; the next try waits again. */
  operation: number;
}

export const WAITS: Waits = { serving: 60_000, operation: 20_000 };

const ARM = 'https://management.azure.com';

export interface AzureOptions {
  subscription: string;
  region: string;
  env?: NodeJS.ProcessEnv;
  /** Certificates to trust instead of the system's. */
  ca?: string;
  /** Instead of the one that the environment names. */
  credential?: TokenCredential;
}

/**
 * Clients by the environment: `SLUICE_AZURE_CREDENTIAL`, `SLUICE_AZURE_ENDPOINT` (ARM), `SLUICE_AZURE_MONITOR_ENDPOINT`.
 * One attempt a call: a repeated swap undoes the first, and Temporal owns the retries of the rest.
 */
export function azureClients(options: AzureOptions): Clients {
  const { subscription, region, env = process.env, ca, credential } = options;
  const endpoint = (env.SLUICE_AZURE_ENDPOINT ?? ARM).replace(/\/$/, '');
  const identity = credential ?? credentialOf(env, ca);
  const common = {
    retryOptions: { maxRetries: 0 },
    ...(ca === undefined ? {} : { tlsOptions: { ca } }),
  };
  const arm = new WebSiteManagementClient(identity, subscription, { endpoint, ...common });
  const monitor = env.SLUICE_AZURE_MONITOR_ENDPOINT ?? `https://${region}.metrics.monitor.azure.com`;
  const metrics = new MetricsClient(monitor, identity, common);
  for (const { pipeline } of [arm, metrics]) keepAnswers(pipeline);
  return {
    arm,
    metrics,
    send: createSend(ca),
    endpoint,
    token: async (signal) => (await identity.getToken(`${ARM}/.default`, { abortSignal: signal }))?.token ?? '',
  };
}

/** The SDK's call that runs here: its last answer, and what cancels it (some methods have no way to say so). */
interface Running {
  answer: Answer | null;
  signal: AbortSignal;
}

const running = new AsyncLocalStorage<Running>();

function keepAnswers(pipeline: WebSiteManagementClient['pipeline']): void {
  pipeline.addPolicy({
    name: 'sluiceKeepsAnswers',
    async sendRequest(request, next) {
      const call = running.getStore();
      if (call === undefined) return next(request);
      // What is kept is never an older answer than the failure.
      call.answer = null;
      request.abortSignal ??= call.signal;
      const answer = await next(request);
      call.answer = { status: answer.status, body: answer.bodyAsText ?? '', headers: answer.headers };
      return answer;
    },
  });
}

/** One target during one call of the driver: what every helper of this folder needs. */
export interface Session {
  ctx: CallContext;
  target: AppServiceTarget;
  clients: Clients;
  budget: Budget;
  waits: Waits;
}

type WebApps = WebSiteManagementClient['webApps'];
export interface CallOptions {
  abortSignal: AbortSignal;
  /** Milliseconds between two looks at a long operation, where the provider names no pace of its own by Retry-After. */
  updateIntervalInMs: number;
}

/** The SDK's own two seconds would be most of what a swap takes. */
export const LOOK_EVERY = 500;

/** A call of ARM through the SDK: waits for the account's budget, and fails with a SluiceError. `operation` names it. */
export async function call<T>(
  session: Session,
  operation: string,
  work: (webApps: WebApps, options: CallOptions) => Promise<T>,
): Promise<T> {
  const answered = await session.budget.acquire(session.ctx.urgent, session.ctx.signal);
  try {
    return await asked(session, operation, () =>
      work(session.clients.arm.webApps, { abortSignal: session.ctx.signal, updateIntervalInMs: LOOK_EVERY }),
    );
  } finally {
    answered();
    session.ctx.heartbeat();
  }
}

/** As above, outside the budget: metrics, and the looks at an operation that runs. */
export async function asked<T>(session: Session, operation: string, work: () => Promise<T>): Promise<T> {
  const store: Running = { answer: null, signal: session.ctx.signal };
  try {
    return await running.run(store, work);
  } catch (error) {
    if (store.answer?.status === 429) session.budget.throttled();
    throw toSluiceError(error, store.answer, operation, targetName(session.target));
  }
}

/** Everything of a list that comes in pages. */
export async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of pages) found.push(one);
  return found;
}

/** The site's path in ARM. */
export function siteId({ clients, target }: Session): string {
  const { account, resourceGroup, site } = target;
  return `${clients.endpoint}/subscriptions/${account}/resourceGroups/${resourceGroup}/providers/Microsoft.Web/sites/${site}`;
}

/** A call of ARM that the SDK has no method for. */
export async function armCall(
  session: Session,
  operation: string,
  url: string,
  request: { method: string; body?: unknown },
): Promise<HttpAnswer> {
  const answered = await session.budget.acquire(session.ctx.urgent, session.ctx.signal);
  return signed(session, operation, url, {
    method: request.method,
    ...(request.body === undefined
      ? {}
      : { body: JSON.stringify(request.body), headers: { 'content-type': 'application/json' } }),
  }).finally(answered);
}

/** A request with the worker's token. Errors: a SluiceError for every answer that is no success. */
export async function signed(
  session: Session,
  operation: string,
  url: string,
  request: Omit<HttpRequest, 'signal'>,
): Promise<HttpAnswer> {
  const { ctx, clients, target } = session;
  const subject = targetName(target);
  try {
    const authorization = `Bearer ${await clients.token(ctx.signal)}`;
    const headers = { ...request.headers, authorization };
    const answer = await clients.send(url, { ...request, headers, signal: ctx.signal });
    if (answer.status < 300) return answer;
    if (answer.status === 429) session.budget.throttled();
    throw refusal(answerOf(answer), operation, subject);
  } catch (error) {
    throw toSluiceError(error, null, operation, subject);
  } finally {
    ctx.heartbeat();
  }
}

function answerOf({ status, headers, body }: HttpAnswer): Answer {
  return { status, body: body.toString('utf8'), headers: { get: (name) => headers[name] } };
}
