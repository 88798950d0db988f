/** The smoke test before the first weight: each probe several times in a row, on the candidate alone. */
import type { ProbeSpec, Spec } from '../../src/model/spec.js';
import type { Outside } from '../outside.js';
import type { CallContext } from '../platform/platform.js';
import { type Invoker, type ProbeResult, runProbe } from './probe.js';
import type { ProbeReport } from './types.js';

export interface SmokeInput {
  spec: Spec;
  version: string;
  probes: ProbeSpec[];
}

interface Outcome {
  line: string;
  why: string | null;
}

/**
 * Runs the probes side by side, each `smoke` times one call after the other. The first failure ends it all. Errors: a SluiceError
 * when a call could not be made (the caller may try again); an AbortError when cancelled.
 */
export async function runSmoke(
  input: SmokeInput,
  deps: { driver: Invoker; ctx: CallContext; outside: Outside },
): Promise<ProbeReport> {
  const { ctx } = deps;
  const stop = new AbortController();
  const cancel = () => stop.abort();
  ctx.signal.addEventListener('abort', cancel, { once: true });
  if (ctx.signal.aborted) cancel();
  let first: string | undefined;
  try {
    const outcomes = await Promise.all(
      input.probes.map(async (probe) => {
        const outcome = await runOne(input, probe, { ...deps, ctx: { ...ctx, signal: stop.signal } }).catch(
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

async function runOne(
  { spec, version }: SmokeInput,
  probe: ProbeSpec,
  { driver, ctx, outside }: { driver: Invoker; ctx: CallContext; outside: Outside },
): Promise<Outcome> {
  let slowest = 0;
  for (let call = 1; call <= probe.smoke; call += 1) {
    const result: ProbeResult = await runProbe({ probe, spec, version }, driver, ctx, outside);
    ctx.heartbeat();
    if (!result.ok) {
      const of = `call ${call} of ${probe.smoke} failed: ${result.why}`;
      return { line: `${probe.name}: ${of}`, why: `probe ${probe.name} of version ${version}: ${of}` };
    }
    slowest = Math.max(slowest, result.latencyMs);
  }
  return {
    line: `${probe.name}: ${probe.smoke} of ${probe.smoke} passed, slowest ${Math.ceil(slowest)} ms`,
    why: null,
  };
}
