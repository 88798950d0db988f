/** What of a rollout.yaml depends on the platform of its target: some defaults, and what only one of them has. */
import { isReference } from '../model/secrets.js';
import type { AppServiceTarget, Configuration, LambdaTarget, MetricSpec, PlatformName, Spec } from '../model/spec.js';
import { lambdaVariables, siteSettings } from '../platforms/registry.js';
import { DEFAULTS } from './defaults.js';
import { layerFault, roleFault } from './partitions.js';
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
    release: ['folder', 'zip', 's3', 'image', 'version', 'latest', 'current', 'artifact'],
    metrics: ['cloudwatch', 'lambdaLogs', 'prometheus', 'http'],
    alarms: ['cloudwatch'],
    places: ['function', 'alias'],
  },
  'app-service': {
    configuration: ['environment', 'description', 'marker', 'warmUp', 'idle'],
    release: ['folder', 'zip', 'version', 'current', 'artifact'],
    metrics: ['azureMonitor', 'prometheus', 'http'],
    alarms: [],
    places: ['site', 'slot'],
  },
};

/** The platform filled in where none is written, and the parts of `health` whose default depends on the target. */
export function withPlatform(tree: Tree): Tree {
  const target = child(tree, 'target');
  if (tree.kind !== 'map' || target?.kind !== 'map') return tree;
  if (child(target, 'platform') === undefined) {
    const platform = treeOfValue(DEFAULTS.target.platform);
    return withPlatformDefaults(
      withChild(tree, 'target', withChild(target, 'platform', platform)),
      DEFAULTS.target.platform,
      target,
    );
  }
  return withPlatformDefaults(tree, valueAt(target, 'platform'), target);
}

function withPlatformDefaults(tree: Mapping, platform: unknown, target: Mapping): Mapping {
  const deadlines = platform === 'app-service' ? DEFAULTS.siteDeadlines : {};
  const health = child(tree, 'health') ?? treeOfValue({});
  const judged =
    health.kind === 'map' ? withChild(tree, 'health', filled(health, 'policy', policyDefaults(platform))) : tree;
  return filled(filled(judged, 'health', healthDefaults(judged, platform, target)), 'deadlines', deadlines);
}

function healthDefaults(tree: Mapping, platform: unknown, target: Mapping): Record<string, unknown> {
  const health = child(tree, 'health') ?? treeOfValue({});
  if (health.kind !== 'map') return {};
  const late = ['async', 'stream'].includes(String(valueAt(health, 'invocation')));
  // The default probe calls the release: not where an event would do something, nor where nothing runs it before all users have it.
  const unasked = late || (platform === 'app-service' && child(target, 'slot') === undefined);
  return {
    ...(unasked ? { probes: [] } : {}),
    ...(platform === 'app-service' ? { metrics: DEFAULTS.siteMetrics } : {}),
  };
}

function policyDefaults(platform: unknown): Record<string, unknown> {
  return platform === 'app-service' ? DEFAULTS.sitePolicy : {};
}

/** The tree with what is missing in one of its mappings. */
function filled(tree: Mapping, key: string, defaults: Record<string, unknown>): Mapping {
  const of = child(tree, key) ?? treeOfValue({});
  if (of.kind !== 'map') return tree;
  const missing = Object.entries(defaults).filter(([name]) => child(of, name) === undefined);
  if (missing.length === 0) return tree;
  const whole = missing.reduce((map, [name, value]) => withChild(map, name, treeOfValue(value)), of);
  return withChild(tree, key, whole);
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
  if (target.platform === 'lambda') checkLambda(spec, target, fault);
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

function checkLambda(spec: Spec, target: LambdaTarget, fault: Report): void {
  const { release, health, configuration } = spec;
  const { role, layers = [] } = configuration;
  const below = (path: (string | number)[], message: string | null) => message !== null && fault(path, message);
  for (const { path, message } of lambdaVariables(known(configuration))) fault([...VARIABLES, ...path], message);
  if (target.roleArn !== undefined) below(['target', 'roleArn'], roleFault(target.roleArn, target));
  if (role !== undefined) below(['configuration', 'role'], roleFault(role, target));
  for (const [i, layer] of layers.entries()) below(['configuration', 'layers', i], layerFault(layer, target));
  checkMetricHosts(spec, fault);
  if ('version' in release && typeof release.version === 'string') {
    fault(['release', 'version'], 'is a release id of App Service (on Lambda give the number of a published version)');
  }
  checkLatest(spec, fault);
  if ('current' in release && Object.keys(configuration).every((field) => BESIDE_THE_VERSION.includes(field))) {
    fault(
      ['release', 'current'],
      'releases the live code with another configuration, and configuration changes nothing of it (write what is to change, such as configuration.memory)',
    );
  }
  for (const [i, probe] of health.probes.entries()) {
    if (!asksForHost(probe)) continue;
    fault(
      ['health', 'probes', i, 'http', 'url'],
      'has {host}, and a version on Lambda has no host (probe it by invoke, or by a URL with {version})',
    );
  }
}

/** Fields of the configuration that make no other version. */
const BESIDE_THE_VERSION = ['provisionedConcurrency', 'description'];

/** Provisioned concurrency is put on the version; everything else would have to be written into `$LATEST` first. */
function checkLatest({ release, configuration }: Spec, fault: Report): void {
  if (!('latest' in release)) return;
  const [field] = Object.keys(configuration).filter((name) => name !== 'provisionedConcurrency');
  if (field === undefined) return;
  fault(
    ['configuration', field],
    'cannot stand beside release.latest, which publishes $LATEST as it is and writes nothing into it (set it where $LATEST gets its configuration, such as the template of the stack)',
  );
}

function checkMetricHosts({ health }: Spec, fault: Report): void {
  for (const [i, metric] of health.metrics.entries()) {
    if (metric.kind !== 'http' || !asksForHost(metric)) continue;
    fault(
      ['health', 'metrics', i, 'http', 'url'],
      'has {host}, and a version on Lambda has no host (tell the releases apart by {version})',
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
  if ('current' in release && configuration.environment === undefined) {
    fault(
      ['release', 'current'],
      'releases the live code with other app settings, and there are none (write them in configuration.environment)',
    );
  }
  for (const { path, message } of siteSettings(known(configuration))) fault([...VARIABLES, ...path], message);
  if (health.invocation !== 'sync') {
    fault(
      ['health', 'invocation'],
      `is ${health.invocation}, and only requests over HTTP can be rolled out on App Service (take it out)`,
    );
  }
  if (health.policy.probeBack && spec.strategy.type === 'direct') {
    fault(
      ['health', 'policy', 'probeBack'],
      'needs the stable release beside the candidate, and direct publishes over it on App Service (take it out)',
    );
  }
  if (spec.allowBypass.length > 0) {
    fault(
      ['allowBypass'],
      'is for callers of a bare function on Lambda, and this target is on app-service (take it out)',
    );
  }
  if (target.slot === undefined) checkWithoutSlot(spec, fault);
}

const VARIABLES = ['configuration', 'environment'] as const;

/** The variables; the value of a secret is not known, so that it counts nothing. */
function known({ environment = {} }: Configuration): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, isReference(value) ? '' : value]),
  );
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

function asksForHost({ url }: { url?: string }): boolean {
  return url?.includes('{host}') ?? false;
}
