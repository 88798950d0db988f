/** Checks a parsed spec: defaults, and all rules that involve more than one field. */
import path from 'node:path';
import type { z } from 'zod';
import { isJudged } from '../model/evidence.js';
import type { Report, Spec } from '../model/spec.js';
import type { RolloutType } from '../model/words.js';
import { checkStrategy } from '../strategies/registry.js';
import { CALLED, checkBakes } from './bakes.js';
import { complete } from './complete.js';
import { DEFAULTS } from './defaults.js';
import { sameNotation } from './digits.js';
import { asWanted } from './interpolate.js';
import { checkPlatform, withPlatform } from './platform.js';
import { faultsOf, say, writePath } from './problems.js';
import { parsedAlready, type Written, written } from './schema/index.js';
import { checkReferences } from './secrets.js';
import { child, type Fault, locate, mapLeaves, plainOf, type Tree, treeAt, treeOfValue, withChild } from './tree.js';

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
  return finished(readAsWanted(withPlatform(withStrategy(given, expected.type))), expected, faults);
}

/** Checks a complete spec, whose numbers stay as they are. Null when there are faults, which are pushed on `faults`. */
export function checkComplete(given: Tree, expected: Expected, faults: Fault[]): Spec | null {
  const tree = withStrategy(given, expected.type);
  return finished({ tree, parsed: parsedAlready.safeParse(plainOf(tree), { error: say }) }, expected, faults);
}

function finished({ tree, parsed }: Read, expected: Expected, faults: Fault[]): Spec | null {
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
  if (spec.app === 'companion') fault(['app'], 'the name "companion" is reserved (choose another)');
  if (expected.type !== undefined && spec.strategy.type !== expected.type) {
    fault(
      ['strategy', 'type'],
      `is ${spec.strategy.type}, but this is a ${expected.type} rollout (start it as ${spec.strategy.type}, or remove strategy)`,
    );
  }
  checkStrategy(spec, fault);
  checkDigits(tree, fault);
  checkPlatform(spec, fault);
  checkJudged(spec, fault);
  checkInvocation(spec, fault);
  checkBakes(spec, fault);
  checkReferences(plainOf(tree), fault);
  const bytes = Buffer.byteLength(JSON.stringify(spec));
  if (bytes > MOST_BYTES) {
    fault([], `the spec has ${bytes} bytes; the limit is ${MOST_BYTES} (shorten payloads or environment variables)`);
  }
  return expected.baseDir === undefined ? spec : { ...spec, release: absolute(spec.release, expected.baseDir) };
}

interface Read {
  tree: Tree;
  parsed: z.ZodSafeParseResult<Written>;
}

/** Reads the tree by the schema. A variable becomes text, number or boolean, as its place requires. */
function readAsWanted(given: Tree): Read {
  const read = (tree: Tree) => ({ tree, parsed: written.safeParse(plainOf(tree), { error: say }) });
  const first = read(given);
  if (first.parsed.success) return first;
  const wanted = wantedTypes(first.parsed.error.issues);
  const tree = mapLeaves(given, (leaf, at) => {
    const want = leaf.filled === true && leaf.written !== null ? wanted.get(writePath(at)) : undefined;
    return want === undefined ? leaf : { ...leaf, value: asWanted(leaf.written as string, want) };
  });
  return read(tree);
}

/** By path, the type that was expected there and not found; in each form that a value may have. */
function wantedTypes(issues: readonly z.core.$ZodIssue[], path: PropertyKey[] = []): Map<string, string> {
  const wanted = new Map<string, string>();
  for (const issue of issues) {
    const at = [...path, ...issue.path];
    if (issue.code === 'invalid_type') wanted.set(writePath(at), issue.expected);
    if (issue.code === 'invalid_union') {
      for (const branch of issue.errors) for (const [where, type] of wantedTypes(branch, at)) wanted.set(where, type);
    }
  }
  return wanted;
}

/** A payload is sent as JSON: a number in it must arrive with the digits that were written. */
function checkDigits(tree: Tree, fault: Report): void {
  const probes = treeAt(tree, ['health', 'probes']);
  if (probes?.kind !== 'list') return;
  for (const i of probes.items.keys()) {
    const at = ['health', 'probes', i, 'invoke', 'payload'];
    const payload = treeAt(tree, at);
    if (payload === undefined) continue;
    mapLeaves(payload, (leaf, path) => {
      const { value, written: text } = leaf;
      if (typeof value === 'number' && text !== null && !sameNotation(text, value)) {
        const where = [...at, ...path] as (string | number)[];
        fault(where, `${text} would be sent as ${value} (write ${value}, or quote it to send text: "${text}")`);
      }
      return leaf;
    });
  }
}

function checkJudged({ health, allowUnjudged }: Spec, fault: Report): void {
  if (allowUnjudged || isJudged(health)) return;
  fault(
    ['health'],
    'nothing can judge the candidate (add a probe, or a metric without dryRun, or set allowUnjudged: true)',
  );
}

/** Of a function that nobody waits for, a probe does what an event does. */
function checkInvocation(spec: Spec, fault: Report): void {
  const { invocation, probes } = spec.health;
  if (invocation === 'sync') return;
  for (const [i, probe] of probes.entries()) {
    if (probe.safe || probe.kind !== 'invoke') continue;
    fault(
      ['health', 'probes', i],
      `probe "${probe.name}" would trigger the same side effects as an event, because the function is called ${CALLED[invocation]} (set safe: true if it has none, or remove the probe)`,
    );
  }
}

/**
 * The strategy's type filled in: the caller's, or else the default. An undo has its own strategy, whatever the spec of the
 * rollout that it undoes says.
 */
function withStrategy(tree: Tree, type: RolloutType | undefined): Tree {
  if (tree.kind !== 'map') return tree;
  const strategy = child(tree, 'strategy');
  const said = child(strategy, 'type');
  const other = type === 'undo' && !(said?.kind === 'leaf' && said.value === 'undo');
  const set = (value: Tree): Tree => withChild(tree, 'strategy', value);
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
