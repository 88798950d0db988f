/** The smoke test before the first weight: each probe several times in a row, on the candidate alone. */

import type { Egress } from '../egress/index.js';
import type { ProbeSpec, Spec } from '../model/spec.js';
import { duration } from '../model/text.js';
import type { CallContext } from '../platforms/port.js';
import { rest } from './bounded.js';
import { FIRST_CALL } from './first-call.js';
import { type Invoker, type ProbeResult, runProbe } from './probe.js';
import type { ProbeReport } from './types.js';

/** Longest rest after a failed call, in ms; a probe that is called more often rests no longer than that. */
const LONGEST_REST = 1_000;
/** Shortest time that a call is given, in ms, when the deadline is near. */
const SHORTEST = 1;

export interface SmokeInput {
  spec: Spec;
  version: string;
  probes: ProbeSpec[];
  /** How long the whole may take, in ms. */
  within: number;
}

interface Outcome {
  line: string;
  why: string | null;
}

interface Deps {
  driver: Invoker;
  ctx: CallContext;
  egress: Egress;
}

/**
 * Runs the probes side by side, each one call after the other: it passes with `smoke` good calls in a row and fails with as many
 * bad ones in a row. Where neither comes within `within`, it fails too, with the counts. The first call of a probe may be slow: it
 * starts the release, and what that takes decides nothing. One failed probe ends it all. Errors: a SluiceError when a call could
 * not be made (the caller may try again); an AbortError when cancelled.
 */
export async function runSmoke(input: SmokeInput, deps: Deps): Promise<ProbeReport> {
  const { ctx } = deps;
  const stop = new AbortController();
  const cancel = () => stop.abort();
  ctx.signal.addEventListener('abort', cancel, { once: true });
  if (ctx.signal.aborted) cancel();
  const until = performance.now() + input.within;
  let first: string | undefined;
  try {
    const outcomes = await Promise.all(
      input.probes.map(async (probe) => {
        const outcome = await runOne(input, probe, until, { ...deps, ctx: { ...ctx, signal: stop.signal } }).catch(
          (error: unknown) => {
            if (first !== undefined) return { line: `${probe.name}: not finished`, why: null };
            throw error;
          },
        );
        if (outcome.why !== null) {
          first ??= outcome.why;
          stop.abort();
        }
        return outcome;
      }),
    );
    const lines = outcomes.map((outcome) => outcome.line);
    return first === undefined ? { passed: true, lines } : { passed: false, lines, why: first };
  } finally {
    ctx.signal.removeEventListener('abort', cancel);
    stop.abort();
  }
}

async function runOne(input: SmokeInput, probe: ProbeSpec, until: number, deps: Deps): Promise<Outcome> {
  const { spec, version, within } = input;
  const { driver, ctx, egress } = deps;
  const seen = { calls: 0, bad: 0, inRow: 0, good: true, slowest: 0, why: '' };
  const failed = (text: string) => ({
    line: `${probe.name}: ${text}`,
    why: `probe ${probe.name} of version ${version}: ${text}`,
  });
  for (let start = 0; ; ) {
    const left = until - performance.now();
    if (left <= 0) return failed(undecided(probe, seen, within));
    const first = seen.calls === 0 && start === 0;
    const patience = Math.max(SHORTEST, Math.min(first ? Math.max(FIRST_CALL, probe.latency) : probe.latency, left));
    const result = await runProbe({ probe, spec, version, patience }, driver, ctx, egress);
    ctx.heartbeat();
    if (first && result.slow === true) {
      start = result.latencyMs;
      continue;
    }
    // Cut short by the end of the test, not by its own limit.
    if (!result.ok && performance.now() >= until) continue;
    count(seen, result);
    if (seen.inRow === probe.smoke) {
      if (!seen.good) return failed(`${badInRow(probe.smoke)}: ${seen.why}`);
      const of = seen.bad === 0 ? `${probe.smoke} of ${probe.smoke} passed` : `${probe.smoke} passed in a row`;
      return { line: `${probe.name}: ${of}, slowest ${Math.ceil(seen.slowest)} ms${startedIn(start)}`, why: null };
    }
    if (!result.ok) await rest(ctx.signal, Math.min(probe.every, LONGEST_REST, Math.max(0, until - performance.now())));
  }
}

function count(
  seen: { calls: number; bad: number; inRow: number; good: boolean; slowest: number; why: string },
  result: ProbeResult,
): void {
  seen.calls += 1;
  seen.inRow = seen.calls > 1 && seen.good === result.ok ? seen.inRow + 1 : 1;
  seen.good = result.ok;
  if (result.ok) seen.slowest = Math.max(seen.slowest, result.latencyMs);
  else {
    seen.bad += 1;
    seen.why = result.why ?? 'no reason is known';
  }
}

function badInRow(smoke: number): string {
  return smoke === 1 ? 'its call failed' : `${smoke} calls in a row failed`;
}

function undecided(
  { smoke }: ProbeSpec,
  { calls, bad, why }: { calls: number; bad: number; why: string },
  within: number,
): string {
  const none = `neither ${smoke} good nor ${smoke} bad calls in a row within ${duration(within)} (deadlines.probe)`;
  const last = bad === 0 ? '' : `; the last failure: ${why}`;
  return `${none}: ${bad} of ${calls} calls failed${last}`;
}

function startedIn(ms: number): string {
  return ms === 0 ? '' : `; its first call started it and took ${Math.ceil(ms)} ms`;
}
