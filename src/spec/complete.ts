import type {
  Configuration,
  HealthPolicy,
  MetricSpec,
  ProbeSpec,
  ReleaseSource,
  Spec,
  StageSpec,
  StrategySpec,
} from '../model/spec.js';
import { DEFAULTS } from './defaults.js';
import { stageName, type Written } from './schema/index.js';

/** The spec that the workflow carries, from a checked rollout.yaml. */
export function complete(written: Written): Spec {
  return {
    ...written,
    specSchema: 1,
    release: releaseOf(written),
    configuration: configurationOf(written),
    strategy: strategyOf(written.strategy),
    health: {
      ...written.health,
      probes: written.health.probes.map(probeOf),
      metrics: written.health.metrics.map(metricOf),
      alarms: written.health.alarms.map(({ name, cloudwatch }) => ({ name, kind: 'cloudwatch', alarm: cloudwatch })),
      policy: {
        ceiling: null,
        dispersion: written.health.invocation === 'async' ? DEFAULTS.asyncDispersion : null,
        margin: null,
        ...written.health.policy,
      },
    },
  };
}

/** The schema has made sure that there is exactly one member. A version of Lambda is a number however it is written. */
function releaseOf({ release, target }: Written): ReleaseSource {
  if (target.platform === 'lambda' && /^\d+$/.test(String(release.version)))
    return { version: Number(release.version) };
  return release as ReleaseSource;
}

function configurationOf({ configuration, target }: Written): Configuration {
  switch (target.platform) {
    case 'lambda':
      return configuration;
    case 'app-service':
      return {
        warmUp: { path: DEFAULTS.warmUp.path, statuses: [...DEFAULTS.warmUp.statuses] },
        idle: DEFAULTS.idle,
        ...configuration,
      };
  }
}

function strategyOf(written: Written['strategy']): StrategySpec {
  if (written.type !== 'canary') return written;
  const stages = written.stages.map(
    ({ health, ...stage }): StageSpec => ({
      ...stage,
      name: stageName(stage),
      ...(health === undefined ? {} : { health: health as Partial<HealthPolicy> }),
    }),
  );
  return { type: 'canary', stages };
}

function probeOf({ invoke, http, expect, ...rest }: Written['health']['probes'][number]): ProbeSpec {
  if (http === undefined) return { ...rest, kind: 'invoke', payload: invoke?.payload ?? {}, expect };
  return { ...rest, kind: 'http', ...http, expect: { status: DEFAULTS.probe.httpStatus, ...expect } };
}

/** The schema has made sure that there is exactly one kind, and a latency only where it means something. */
function metricOf(written: Written['health']['metrics'][number]): MetricSpec {
  const { name, dryRun, cloudwatch, lambdaLogs, prometheus, azureMonitor, http } = written;
  const latency = written.latency === undefined ? {} : { latency: written.latency };
  if (cloudwatch !== undefined) return { name, kind: 'cloudwatch', ...cloudwatch, ...latency, dryRun };
  if (lambdaLogs !== undefined) return { name, kind: 'lambdaLogs', ...lambdaLogs, ...latency, dryRun };
  if (prometheus !== undefined) return { name, kind: 'prometheus', ...prometheus, dryRun };
  if (azureMonitor !== undefined) return { name, kind: 'azureMonitor', ...azureMonitor, dryRun };
  return { name, kind: 'http', ...(http as NonNullable<typeof http>), dryRun };
}
