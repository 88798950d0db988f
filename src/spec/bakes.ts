/** Whether the watched times of a spec are long enough for what they are to show. */
import { shortestBake } from '../model/evidence.js';
import type { MetricKind, Report, Spec } from '../model/spec.js';
import { duration } from '../model/text.js';
import { kitOf } from '../platforms/registry.js';
import { type Watched, watchedOf } from '../strategies/registry.js';
import { METRICS } from './schema/metrics.js';
import { writeDuration } from './units.js';

/** What a bake has to last, however it is written. */
export function checkBakes(spec: Spec, fault: Report): void {
  for (const watched of watchedOf(spec, spec.health.judge)) {
    const why = lateErrors(spec, watched) ?? neverPasses(spec, watched);
    if (why !== null) fault(watched.path, why);
  }
}

/** How a function is called that nobody waits for, in words. */
export const CALLED = { async: 'asynchronously', stream: 'by a stream' } as const;

/** Errors of a function that nobody waits for arrive late. */
function lateErrors({ target, health }: Spec, { bake, weight }: Watched): string | null {
  const { events } = kitOf(target.platform);
  if (health.invocation === 'sync' || events === null || weight === 0) return null;
  const least = typeof bake === 'number' ? bake : bake.min;
  if (least >= events.shortestBake) return null;
  return `is too short for a function that is called ${CALLED[health.invocation]}: its last retry fails after ${events.lastRetry} (use ${writeDuration(events.shortestBake)} or longer)`;
}

/** A bake that is over before its evidence can be there is held or rolled back, whatever the release is like. */
function neverPasses({ health }: Spec, { bake, weight, judge }: Watched): string | null {
  const least = shortestBake(health, weight, judge);
  const longest = typeof bake === 'number' ? bake : bake.max;
  if (least === null || longest >= least.ms) return null;
  const use = `(use ${writeDuration(least.ms)} or longer`;
  if ('metric' in least) {
    // The spec allows going on without data.
    if (judge.onNoData === 'promote') return null;
    const { name, every, delay } = least.metric;
    const window = least.ms - every - delay;
    const faster = fasterThan(least.metric.kind);
    return `is too short to ever pass: metric "${name}" counts by ${duration(window)}, is final ${duration(delay)} later and is read every ${duration(every)} ${use}${faster})`;
  }
  if (judge.onUndecided === 'promote') return null;
  return `is too short to ever pass: the probes make ${least.calls} calls in ${duration(least.ms)}, and minRequests is ${least.calls} ${use}, or call more often)`;
}

/** Where the platform has a quicker source of the same counts. */
function fasterThan(kind: MetricKind): string {
  const { faster } = METRICS[kind];
  return faster === undefined ? '' : `, or ${faster}, which counts within seconds`;
}
