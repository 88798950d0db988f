/** What the judge and the views call the sources of counts. Pure. */
import type { JudgeSetup } from '../../src/judge/types.js';
import { decidingMetrics } from '../../src/model/evidence.js';
import type { HealthSpec, MetricSpec, ProbeSpec } from '../../src/model/spec.js';

/** The judge's name of a probe's counts. */
export function probeSource({ name }: ProbeSpec): string {
  return `probe ${name}`;
}

/** The judge's name of a metric's counts. */
export function metricSource({ name }: MetricSpec): string {
  return `metric ${name}`;
}

/** The sources that the judge decides by, and which of them count users. */
export function decidingSources(health: HealthSpec): Pick<JudgeSetup, 'sources' | 'users'> {
  const users = decidingMetrics(health).map(metricSource);
  return { sources: [...health.probes.map(probeSource), ...users], users };
}
