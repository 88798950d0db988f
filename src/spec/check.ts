import path from 'node:path';
import type { Spec } from '../model/spec.js';
import type { RolloutType } from '../model/words.js';
import { complete } from './complete.js';
import { DEFAULTS } from './defaults.js';
import { suggestion } from './nearest.js';
import { faultsOf, say } from './problems.js';
import { written } from './schema/index.js';
import { child, type Fault, locate, plainOf, type Tree, treeOfValue } from './tree.js';

/** Most bytes of a spec as JSON: with its plan it travels in the workflow's history. */
export const MOST_BYTES = 256 * 1024;

/** What the caller knows and the spec must agree with. */
export interface Expected {
  app?: string | undefined;
  environment?: string | undefined;
  type?: RolloutType | undefined;
  /** What `release.folder` and `release.zip` are relative to. Without it they stay as written. */
  baseDir?: string | undefined;
}

/** Checks one environment's spec and fills in the defaults. Null when there are faults, which are pushed on `faults`. */
export function check(given: Tree, expected: Expected, faults: Fault[]): Spec | null {
  const tree = withStrategy(given, expected.type);
  const parsed = written.safeParse(plainOf(tree), { error: say });
  if (!parsed.success) {
    faults.push(...faultsOf(parsed.error.issues, tree));
    return null;
  }
  const spec = complete(parsed.data);
  const fault = (path: (string | number)[], message: string) => faults.push({ at: locate(tree, path), path, message });

  if (expected.app !== undefined && spec.app !== expected.app) {
    fault(
      ['app'],
      `is "${spec.app}", but this is a rollout of "${expected.app}" (the workflow id is <app>/<environment>)`,
    );
  }
  if (spec.app === 'target') fault(['app'], 'the name "target" is taken by Sluice (take another one)');
  if (expected.type !== undefined && spec.strategy.type !== expected.type) {
    fault(
      ['strategy', 'type'],
      `is ${spec.strategy.type}, but this is a ${expected.type} rollout (start it as ${spec.strategy.type}, or take strategy out)`,
    );
  }
  if (spec.strategy.type === 'undo' && !('version' in spec.release)) {
    fault(['release'], 'undo goes back to a version that is published already (release: {version: N})');
  }
  checkGates(spec, fault);
  const bytes = Buffer.byteLength(JSON.stringify(spec));
  if (bytes > MOST_BYTES) {
    fault([], `the spec has ${bytes} bytes, at most ${MOST_BYTES} fit (take payloads or environment variables out)`);
  }
  return expected.baseDir === undefined ? spec : { ...spec, release: absolute(spec.release, expected.baseDir) };
}

function checkGates(spec: Spec, fault: (path: (string | number)[], message: string) => void): void {
  const probes = spec.health.probes.map(({ name }) => name);
  if (spec.strategy.type === 'canary') {
    for (const [i, stage] of spec.strategy.stages.entries()) {
      for (const [j, name] of stage.probes.entries()) {
        if (!probes.includes(name)) {
          fault(['strategy', 'stages', i, 'probes', j], `there is no probe "${name}"${suggestion(name, probes)}`);
        }
      }
    }
  }
  if (probes.length === 0 && spec.health.metrics.length === 0 && !spec.allowUngated) {
    fault(['health'], 'nothing could ever judge the candidate (add a probe or a metric, or say allowUngated: true)');
  }
}

/**
 * The strategy's type filled in: the caller's, else the default. An undo has a strategy of its own, whatever the spec of
 * the rollout it takes back says.
 */
function withStrategy(tree: Tree, type: RolloutType | undefined): Tree {
  if (tree.kind !== 'map') return tree;
  const strategy = child(tree, 'strategy');
  const said = child(strategy, 'type');
  const other = type === 'undo' && !(said?.kind === 'leaf' && said.value === 'undo');
  const set = (value: Tree): Tree => ({
    ...tree,
    entries: new Map([
      ...tree.entries,
      ['strategy', { keyAt: tree.entries.get('strategy')?.keyAt ?? null, tree: value }],
    ]),
  });
  if (strategy === undefined || other) return set(treeOfValue({ type: type ?? DEFAULTS.strategy.type }));
  if (strategy.kind !== 'map' || said !== undefined) return tree;
  const named = treeOfValue(type ?? DEFAULTS.strategy.type);
  return set({ ...strategy, entries: new Map([['type', { keyAt: null, tree: named }], ...strategy.entries]) });
}

function absolute(release: Spec['release'], baseDir: string): Spec['release'] {
  if ('folder' in release) return { folder: path.resolve(baseDir, release.folder) };
  if ('zip' in release) return { zip: path.resolve(baseDir, release.zip) };
  return release;
}
