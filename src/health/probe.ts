/** One call of a probe to one release. */

import type { Egress } from '../egress/index.js';
import { SluiceError } from '../model/errors.js';
import type { ProbeSpec, Spec } from '../model/spec.js';
import { clean } from '../model/text.js';
import type { Address, CallContext, PlatformDriver } from '../platforms/port.js';
import { withSecrets } from '../secrets/headers.js';
import { bounded, TimeOver } from './bounded.js';
import { unmet } from './expectation.js';
import { asksForHost, BadAnswer, send, urlFor } from './http.js';
import { fetchReason } from './reason.js';

/** Characters of a reason: one line of a view. */
const WHY = 200;
/** An http probe that expects nothing in particular. */
const OK = 200;
/** How much later than its limit, in ms, a driver may say that there was no answer: its own words are better than ours. */
const GRACE = 250;
/** Longest question for a release's host, in ms. */
const ADDRESS = 10_000;

export interface ProbeResult {
  ok: boolean;
  latencyMs: number;
  /** The platform's id of the request, if it gave one. */
  requestId?: string;
  /** Why not, in one short line without control characters. */
  why?: string;
  /** Time alone was wrong: there was no answer yet, or the right one came too late. */
  slow?: true;
}

export interface ProbeCall {
  probe: ProbeSpec;
  spec: Spec;
  version: string;
  /** How long the answer is waited for, in ms; `probe.latency` unless given. What comes after `probe.latency` fails all the same. */
  patience?: number;
}

/** What a probe needs of a driver. */
export type Invoker = Pick<PlatformDriver, 'invoke' | 'address'>;

/**
 * Calls the release once and compares its answer with what the probe expects. No answer within `probe.latency` is a failure
 * of the release. Errors: a SluiceError when the call could not be made at all (throttled, no permission, provider down,
 * a secret that cannot be read, an address that may not be reached), which says nothing of the release; an AbortError when
 * `ctx.signal` was aborted.
 */
export async function runProbe(
  call: ProbeCall,
  driver: Invoker,
  ctx: CallContext,
  egress: Egress,
): Promise<ProbeResult> {
  const began = performance.now();
  const limit = call.probe.latency;
  const failed = (why: string, latencyMs = performance.now() - began): ProbeResult => ({
    ok: false,
    latencyMs,
    why: clean(why, WHY),
  });
  const unanswered = (why: string): ProbeResult => {
    const result = failed(why);
    return result.latencyMs >= limit ? { ...result, slow: true } : result;
  };
  try {
    const { latencyMs, why, ...by } =
      call.probe.kind === 'invoke' ? await invoke(call, driver, ctx) : await http(call, driver, ctx, egress);
    if (why !== null) return { ...failed(why, latencyMs), ...by };
    return latencyMs > limit
      ? { ...failed(`took ${Math.ceil(latencyMs)} ms, limit ${limit} ms`, latencyMs), slow: true, ...by }
      : { ok: true, latencyMs, ...by };
  } catch (error) {
    if (ctx.signal.aborted) throw new DOMException('the probe was cancelled', 'AbortError');
    if (error instanceof TimeOver) return unanswered(`no answer within ${patienceOf(call)} ms`);
    if (error instanceof BadAnswer) return failed(error.message);
    if (error instanceof SluiceError && error.code === 'SLUICE_PROBE') return unanswered(error.message);
    if (error instanceof SluiceError) throw error;
    if (call.probe.kind === 'http') return failed(`no answer: ${fetchReason(error)}`);
    throw new SluiceError('SLUICE_PROVIDER', clean(`${call.probe.name}: ${fetchReason(error)}`, WHY));
  }
}

function patienceOf({ probe, patience = probe.latency }: ProbeCall): number {
  return patience;
}

type Compared = { latencyMs: number; why: string | null; requestId?: string };

async function invoke(call: ProbeCall, driver: Invoker, ctx: CallContext): Promise<Compared> {
  const { probe, spec, version } = call;
  const timeoutMs = patienceOf(call);
  const answer = await bounded(ctx.signal, timeoutMs + GRACE, (signal) =>
    driver.invoke({ ...ctx, signal }, { spec, version, payload: probe.payload, timeoutMs }),
  );
  const { functionError, executedVersion, body, latencyMs, requestId } = answer;
  const by = requestId === undefined ? {} : { requestId };
  const said = (why: string | null): Compared => ({ latencyMs, why, ...by });
  if (executedVersion !== version) {
    return said(`version ${executedVersion ?? '(unknown)'} answered, not ${version}`);
  }
  if (functionError !== null) {
    return said(functionError.message === '' ? functionError.type : `${functionError.type}: ${functionError.message}`);
  }
  const inBody = typeof body === 'object' && body !== null ? (body as { statusCode?: unknown }).statusCode : undefined;
  return said(unmet(probe.expect, { status: answer.status ?? statusOf(inBody), value: body }));
}

/** API Gateway takes a `statusCode` written as text, too ("200"). */
function statusOf(said: unknown): unknown {
  return typeof said === 'string' && /^\d{3}$/.test(said) ? Number(said) : said;
}

/** Errors: SLUICE_PROVIDER when the platform does not say in time where the release is; that says nothing of the release. */
async function addressOf({ spec, version }: ProbeCall, driver: Invoker, ctx: CallContext): Promise<Address> {
  try {
    return await bounded(ctx.signal, ADDRESS, (signal) => driver.address({ ...ctx, signal }, { spec, version }));
  } catch (error) {
    if (!(error instanceof TimeOver)) throw error;
    throw new SluiceError('SLUICE_PROVIDER', `no host for ${version} within ${ADDRESS} ms`);
  }
}

async function http(call: ProbeCall, driver: Invoker, ctx: CallContext, egress: Egress): Promise<Compared> {
  const { probe, spec, version } = call;
  const address = asksForHost(probe) ? await addressOf(call, driver, ctx) : null;
  const receiver = { version, address };
  const sending = { spec, use: 'probe' as const, url: urlFor(probe, receiver) };
  const headers = await withSecrets(probe.headers, sending, egress.secrets, ctx.signal);
  const began = performance.now();
  const { status, body, cut } = await bounded(ctx.signal, patienceOf(call), (signal) =>
    send({ ...probe, headers }, receiver, egress.net, signal),
  );
  const latencyMs = performance.now() - began;
  const expect = { ...probe.expect, status: probe.expect.status ?? OK };
  const why = unmet(expect, { status, value: body });
  const unreadable = cut && why !== null && status === expect.status;
  return { latencyMs, why: unreadable ? `${why}: the response was cut at 64 KB` : why };
}
