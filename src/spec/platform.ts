/** What of a rollout.yaml depends on the platform of its target: some defaults, and what only one of them has. */
import type { AppServiceTarget, Configuration, MetricSpec, PlatformName, ProbeSpec, Spec } from '../model/spec.js';
import { DEFAULTS } from './defaults.js';
import type { Report } from './problems.js';
import { child, type Mapping, type Tree, treeOfValue, withChild } from './tree.js';

/** What only some platforms have. The rest is for all. */
const HAS: Record<
  PlatformName,
  {
    configuration: readonly (keyof Configuration)[];
    release: readonly string[];
    metrics: readonly MetricSpec['kind'][];
    alarms: readonly string[];
    /** What a query of a metric may name of the target. */
    places: readonly string[];
  }
> = {
  lambda: {
    configuration: [
      'runtime',
      'handler',
      'role',
      'memory',
      'timeout',
      'environment',
      'layers',
      'description',
      'logFormat',
      'provisionedConcurrency',
    ],
    release: ['folder', 'zip', 's3', 'image', 'version', 'artifact'],
    metrics: ['cloudwatch', 'lambdaLogs', 'prometheus', 'http'],
    alarms: ['cloudwatch'],
    places: ['function', 'alias'],
  },
  'app-service': {
    configuration: ['environment', 'description', 'marker', 'warmUp', 'idle'],
    release: ['folder', 'zip', 'version', 'artifact'],
    metrics: ['azureMonitor', 'prometheus', 'http'],
    alarms: [],
    places: ['site', 'slot'],
  },
};

/** App settings that are Sluice's own, and what to write instead. */
const RESERVED: Record<string, string> = {
  SLUICE_RELEASE: 'take it out',
  SLUICE_ENVIRONMENT: 'take it out',
  WEBSITE_SWAP_WARMUP_PING_PATH: 'write configuration.warmUp.path',
  WEBSITE_SWAP_WARMUP_PING_STATUSES: 'write configuration.warmUp.statuses',
};

/** The platform filled in where none is written, and the parts of `health` whose default depends on the target. */
export function withPlatform(tree: Tree): Tree {
  const target = child(tree, 'target');
  if (tree.kind !== 'map' || target?.kind !== 'map') return tree;
  if (child(target, 'platform') === undefined) {
    const platform = treeOfValue(DEFAULTS.target.platform);
    return withHealth(
      withChild(tree, 'target', withChild(target, 'platform', platform)),
      DEFAULTS.target.platform,
      target,
    );
  }
  return withHealth(tree, valueAt(target, 'platform'), target);
}

function withHealth(tree: Mapping, platform: unknown, target: Mapping): Mapping {
  const health = child(tree, 'health') ?? treeOfValue({});
  if (health.kind !== 'map') return tree;
  const late = ['async', 'stream'].includes(String(valueAt(health, 'invocation')));
  // The default probe calls the release: not where an event would do something, nor where nothing runs it before all users have it.
  const unasked = late || (platform === 'app-service' && child(target, 'slot') === undefined);
  const defaults = {
    ...(unasked ? { probes: [] } : {}),
    ...(platform === 'app-service' ? { metrics: DEFAULTS.siteMetrics } : {}),
  };
  const missing = Object.entries(defaults).filter(([key]) => child(health, key) === undefined);
  if (missing.length === 0) return tree;
  const filled = missing.reduce((map, [key, value]) => withChild(map, key, treeOfValue(value)), health);
  return withChild(tree, 'health', filled);
}

function valueAt(tree: Mapping, key: string): unknown {
  const found = child(tree, key);
  return found?.kind === 'leaf' ? found.value : undefined;
}

/** Refuses what another platform has, and what this one cannot do. */
export function checkPlatform(spec: Spec, fault: Report): void {
  const { target, configuration, release, health } = spec;
  const has = HAS[target.platform];
  const foreign = (path: (string | number)[], known: readonly string[], instead: string) => {
    const key = String(path.at(-1));
    if (known.includes(key)) return;
    fault(path, `is not for ${target.platform}, where the target is (${instead})`);
  };
  for (const key of Object.keys(configuration)) {
    foreign(
      ['configuration', key],
      has.configuration,
      `take it out; ${target.platform} has ${has.configuration.join(', ')}`,
    );
  }
  for (const key of Object.keys(release))
    foreign(['release', key], has.release, `give one of ${has.release.join(', ')}`);
  for (const [i, { kind }] of health.metrics.entries()) {
    foreign(['health', 'metrics', i, kind], has.metrics, `take one of ${has.metrics.join(', ')}`);
  }
  for (const [i, { kind }] of health.alarms.entries()) {
    foreign(
      ['health', 'alarms', i, kind],
      has.alarms,
      has.alarms.length === 0 ? 'take it out: no alarms are known there' : `take one of ${has.alarms.join(', ')}`,
    );
  }
  checkPlaces(spec, fault);
  if (target.platform === 'lambda') checkLambda(spec, fault);
  else checkAppService(spec, target, fault);
}

/** A query that names what the target has not would find nothing. */
function checkPlaces({ target, health }: Spec, fault: Report): void {
  const known = HAS[target.platform].places;
  const others = Object.values(HAS).flatMap(({ places }) => places.filter((place) => !known.includes(place)));
  for (const [i, metric] of health.metrics.entries()) {
    if (metric.kind !== 'prometheus') continue;
    for (const field of ['requests', 'errors', 'slow'] as const) {
      const wrong = others.find((place) => metric[field]?.includes(`{${place}}`));
      if (wrong === undefined) continue;
      fault(
        ['health', 'metrics', i, 'prometheus', field],
        `{${wrong}} means nothing on ${target.platform} (write ${known.map((place) => `{${place}}`).join(' or ')})`,
      );
    }
  }
}

function checkLambda({ release, health }: Spec, fault: Report): void {
  if ('version' in release && typeof release.version === 'string') {
    fault(['release', 'version'], 'is a release id of App Service (on Lambda give the number of a published version)');
  }
  for (const [i, probe] of health.probes.entries()) {
    if (!asksForHost(probe)) continue;
    fault(
      ['health', 'probes', i, 'http', 'url'],
      'has {host}, and a version on Lambda has no host (probe it by invoke, or by a URL with {version})',
    );
  }
}

function checkAppService(spec: Spec, target: AppServiceTarget, fault: Report): void {
  const { release, health, configuration } = spec;
  if ('version' in release && !/^r-/.test(String(release.version))) {
    fault(
      ['release', 'version'],
      'is a version of Lambda (on App Service give a release id such as r-0123456789ab; `sluice history` lists them)',
    );
  }
  for (const key of Object.keys(configuration.environment ?? {})) {
    const instead = RESERVED[key.toUpperCase()];
    if (instead === undefined) continue;
    fault(['configuration', 'environment', key], `is an app setting that Sluice sets itself (${instead})`);
  }
  if (health.invocation !== 'sync') {
    fault(
      ['health', 'invocation'],
      `is ${health.invocation}, and only requests over HTTP can be rolled out on App Service (take it out)`,
    );
  }
  if (target.slot === undefined) checkWithoutSlot(spec, fault);
}

/** Without a slot the candidate runs nowhere before all users have it. */
function checkWithoutSlot({ strategy, health }: Spec, fault: Report): void {
  if (strategy.type !== 'direct' && strategy.type !== 'undo') {
    fault(
      ['strategy', 'type'],
      `is ${strategy.type}, which needs a slot beside production (name it: target.slot; without one take direct)`,
    );
  }
  for (const [i, probe] of health.probes.entries()) {
    if (probe.kind === 'http' && !asksForHost(probe)) continue;
    fault(
      ['health', 'probes', i],
      `probe "${probe.name}" would call the release before it serves anybody, and without a slot nothing runs it then (name one: target.slot, or take the probe out)`,
    );
  }
}

function asksForHost({ url }: ProbeSpec): boolean {
  return url?.includes('{host}') ?? false;
}
