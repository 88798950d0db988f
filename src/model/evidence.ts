/** What can show that a candidate is well, and how soon. Pure. */
import type { HealthSpec, JudgeRules, MetricSpec } from './spec.js';

const MINUTE = 60_000;

/** The metrics of users that decide; one that is only tried out never does. */
export function decidingMetrics({ metrics }: Pick<HealthSpec, 'metrics'>): MetricSpec[] {
  return metrics.filter(({ dryRun }) => !dryRun);
}

/** Whether anything could ever judge the candidate. */
export function isJudged(health: Pick<HealthSpec, 'metrics' | 'probes'>): boolean {
  return health.probes.length + decidingMetrics(health).length > 0;
}

/** Length of a metric's stretches, in ms: the clouds count by the minute. */
export function windowOf(metric: MetricSpec): number {
  return 'window' in metric ? metric.window : MINUTE;
}

/** The shortest watched time that can pass, in ms, and what makes it that long. */
export type Shortest =
  /** Until this metric has surely spoken of a whole stretch. */
  | { ms: number; metric: MetricSpec }
  /** Until the probes, where there are no users' metrics, have made so many calls. */
  | { ms: number; calls: number };

/**
 * At `weight` percent of traffic. A metric's first stretch ends a window after the weight began at the latest, is final
 * after its delay, and is read within the time between two reads. Null: there is nothing to wait for.
 */
export function shortestBake(
  health: Pick<HealthSpec, 'metrics' | 'probes'>,
  weight: number,
  { minRequests }: Pick<JudgeRules, 'minRequests'>,
): Shortest | null {
  const metrics = weight > 0 ? decidingMetrics(health) : [];
  const slowest = metrics
    .map((metric) => ({ metric, ms: metric.every + metric.delay + windowOf(metric) }))
    .sort((one, other) => other.ms - one.ms)[0];
  if (slowest !== undefined) return slowest;
  if (health.probes.length === 0) return null;
  const perMs = health.probes.reduce((sum, { every }) => sum + 1 / every, 0);
  // A sum of fractions must not need a millisecond more than the whole number that it represents.
  return { calls: minRequests, ms: Math.ceil(minRequests / perMs - 1e-6) };
}
