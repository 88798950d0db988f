/** What the judge and the views call the sources of counts. Pure. */
import type { HealthSpec, MetricSpec, ProbeSpec } from '../../src/model/spec.js';

/** The judge's name of a probe's counts. */
export function probeSource({ name }: ProbeSpec): string {
  return `probe ${name}`;
}

/** The judge's name of a metric's counts. */
export function metricSource({ name }: MetricSpec): string {
  return `metric ${name}`;
}

/** The sources that the judge decides by. */
export function decidingSources({ probes, metrics }: HealthSpec): string[] {
  return [...probes.map(probeSource), ...metrics.filter(({ dryRun }) => !dryRun).map(metricSource)];
}
