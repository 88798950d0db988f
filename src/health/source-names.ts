/** What the judge and the views call the sources of counts. Pure. */
import type { JudgeSetup } from '../judge/types.js';
import { decidingMetrics } from '../model/evidence.js';
import type { HealthSpec, MetricSpec, ProbeSpec } from '../model/spec.js';

/** The judge's name of a probe's counts. */
export function probeSource({ name }: ProbeSpec): string {
  return `probe ${name}`;
}

/** The judge's name of a metric's counts. */
export function metricSource({ name }: MetricSpec): string {
  return `metric ${name}`;
}

/**
 * The sources that the judge uses, and which of them must have counted users. A first release has no users before it is live,
 * so its probes can show that it is healthy; a metric that reports anyway counts like any other.
 */
export function decidingSources(
  health: HealthSpec,
  { stable }: { stable: string | null },
): Pick<JudgeSetup, 'sources' | 'users'> {
  const metrics = decidingMetrics(health).map(metricSource);
  const users = stable === null && health.probes.length > 0 ? [] : metrics;
  return { sources: [...health.probes.map(probeSource), ...metrics], users };
}
