/** What of a rollout.yaml depends on the platform of its target: some defaults, and what only one of them has. */
import { isReference } from '../model/secrets.js';
import type { Configuration, Report, Spec } from '../model/spec.js';
import { DEFAULT_PLATFORM, isPlatform, type PlatformName } from '../model/target.js';
import { allKits, isVersion, kitOf } from '../platforms/registry.js';
import { SPECS, type SpecRules } from '../platforms/specs.js';
import { SERVER_METRICS } from './schema/metrics.js';
import { child, type Mapping, plainOf, type Tree, treeOfValue, withChild } from './tree.js';

/** The platform filled in where none is written, and the parts of a spec whose default depends on the target. */
export function withPlatform(tree: Tree): Tree {
  const target = child(tree, 'target');
  if (tree.kind !== 'map' || target?.kind !== 'map') return tree;
  if (child(target, 'platform') === undefined) {
    const named = withChild(target, 'platform', treeOfValue(DEFAULT_PLATFORM));
    return withDefaultsOf(DEFAULT_PLATFORM, withChild(tree, 'target', named), target);
  }
  const platform = valueAt(target, 'platform');
  return isPlatform(platform) ? withDefaultsOf(platform, tree, target) : tree;
}

function withDefaultsOf(platform: PlatformName, tree: Mapping, target: Mapping): Mapping {
  const { defaults, runsBesideStable } = kitOf(platform);
  const health = child(tree, 'health') ?? treeOfValue({});
  const late = health.kind === 'map' && ['async', 'stream'].includes(String(valueAt(health, 'invocation')));
  // The default probe calls the release: not where an event would do something, nor where nothing runs it before all users have it.
  const unasked = late || !runsBesideStable(plainOf(target) as Record<string, unknown>);
  const judged =
    health.kind === 'map' ? withChild(tree, 'health', filled(health, 'judge', { ...defaults.judge })) : tree;
  const ofHealth = { ...(unasked ? { probes: [] } : {}), metrics: defaults.metrics };
  return filled(filled(judged, 'health', ofHealth), 'deadlines', { ...defaults.deadlines });
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
  const { platform } = spec.target;
  const rules: SpecRules = SPECS[platform];
  const kit = kitOf(platform);
  const foreign = (path: (string | number)[], known: readonly string[], instead: string) => {
    const key = String(path.at(-1));
    if (known.includes(key)) return;
    fault(path, `is not available on ${kit.title}, the platform of this target (${instead})`);
  };
  const fields = Object.keys(rules.configuration);
  for (const key of Object.keys(spec.configuration)) {
    foreign(['configuration', key], fields, `remove it; ${kit.title} has ${fields.join(', ')}`);
  }
  for (const key of Object.keys(spec.release)) {
    foreign(['release', key], kit.releases, `give one of ${kit.releases.join(', ')}`);
  }
  const metrics = [...kit.metrics, ...SERVER_METRICS];
  for (const [i, { kind }] of spec.health.metrics.entries()) {
    foreign(['health', 'metrics', i, kind], metrics, `use one of ${metrics.join(', ')}`);
  }
  for (const [i, { kind }] of spec.health.alarms.entries()) {
    foreign(
      ['health', 'alarms', i, kind],
      kit.alarms,
      kit.alarms.length === 0 ? 'remove it: no alarms are known there' : `use one of ${kit.alarms.join(', ')}`,
    );
  }
  checkPlaces(spec, fault);
  checkVersion(spec, fault);
  checkCallers(spec, fault);
  rules.check(spec, fault, knownVariables(spec.configuration));
}

/** A query that names what the target has not would find nothing. */
function checkPlaces({ target: { platform }, health }: Spec, fault: Report): void {
  const known = kitOf(platform).places;
  const others = allKits().flatMap(([, { places }]) => places.filter((place) => !known.includes(place)));
  for (const [i, metric] of health.metrics.entries()) {
    if (metric.kind !== 'prometheus') continue;
    for (const field of ['requests', 'errors', 'slow'] as const) {
      const wrong = others.find((place) => metric[field]?.includes(`{${place}}`));
      if (wrong === undefined) continue;
      fault(
        ['health', 'metrics', i, 'prometheus', field],
        `{${wrong}} means nothing on ${platform} (write ${known.map((place) => `{${place}}`).join(' or ')})`,
      );
    }
  }
}

/** A release that is there already is named as its platform names it. */
function checkVersion({ target: { platform }, release }: Spec, fault: Report): void {
  if (!('version' in release)) return;
  const given = String(release.version);
  const { title, version } = kitOf(platform);
  if (isVersion(platform, given)) return;
  const other = allKits().find(([name]) => isVersion(name, given));
  const is = other === undefined ? `is not ${version.called}` : `is ${other[1].version.called} of ${other[1].title}`;
  fault(['release', 'version'], `${is} (on ${title} give ${version.write})`);
}

/** Whoever calls the target's code does so in the ways of its platform. */
function checkCallers({ target: { platform }, health, allowBypass }: Spec, fault: Report): void {
  const { title, events, noBareCallers } = kitOf(platform);
  if (health.invocation !== 'sync' && events === null) {
    fault(
      ['health', 'invocation'],
      `is ${health.invocation}, and only requests over HTTP can be rolled out on ${title} (remove it)`,
    );
  }
  if (allowBypass.length > 0 && noBareCallers !== null) {
    fault(['allowBypass'], `is for callers that reach a release past its target, and ${noBareCallers} (remove it)`);
  }
}

/** The variables; the value of a secret is not known, so that it counts nothing. */
function knownVariables({ environment = {} }: Configuration): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, isReference(value) ? '' : value]),
  );
}
