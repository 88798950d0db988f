/** The complete spec from what was written, once that is checked: what only one form can hold becomes what the workflow carries. */
import type { MetricSpec, ProbeSpec, ReleaseSource, Spec } from '../model/spec.js';
import { kitOf } from '../platforms/registry.js';
import { DEFAULTS } from './defaults.js';
import type { Written } from './schema/index.js';

/** The spec that the workflow carries, from a checked rollout.yaml. */
export function complete(written: Written): Spec {
  return {
    ...written,
    specSchema: 1,
    release: releaseOf(written),
    configuration: kitOf(written.target.platform).configured(written.configuration),
    health: {
      ...written.health,
      probes: written.health.probes.map(probeOf),
      metrics: written.health.metrics.map(metricOf),
      alarms: written.health.alarms.map(({ name, cloudwatch }) => ({ name, kind: 'cloudwatch', alarm: cloudwatch })),
      judge: {
        ceiling: null,
        dispersion:
          written.health.invocation === 'async' ? (kitOf(written.target.platform).events?.tries ?? null) : null,
        margin: null,
        ...written.health.judge,
      },
    },
  };
}

/** The schema has made sure that there is exactly one member. */
function releaseOf({ release, target }: Written): ReleaseSource {
  if (release.version === undefined) return release as ReleaseSource;
  return { version: kitOf(target.platform).version.written(String(release.version)) };
}

function probeOf({ invoke, http, expect, ...rest }: Written['health']['probes'][number]): ProbeSpec {
  if (http === undefined) return { ...rest, kind: 'invoke', payload: invoke?.payload ?? {}, expect };
  return { ...rest, kind: 'http', ...http, expect: { status: DEFAULTS.probe.httpStatus, ...expect } };
}

/** The schema has made sure that there is exactly one kind, that its fields are those of the kind, and a latency only where it means something. */
function metricOf({ name, dryRun, latency, ...kinds }: Written['health']['metrics'][number]): MetricSpec {
  const [[kind, fields]] = Object.entries(kinds) as [[string, object]];
  return { name, kind, ...fields, ...(latency === undefined ? {} : { latency }), dryRun } as MetricSpec;
}
