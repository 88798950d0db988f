/** A YAML document as a plain tree that keeps positions. */
import type { Document, Node, Pair } from 'yaml';
import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import { keepsDigits, lostDigits } from './digits.js';

/**
 * A spec as a tree that remembers where each part was written, so that overrides can be merged and variables filled in
 * and an error still names its line. Offsets are characters into the text; null for a value that came as JSON.
 */
export type Tree = Leaf | Mapping | List;

export interface Leaf {
  kind: 'leaf';
  at: number | null;
  end: number | null;
  /** Written without quotes: a variable in it may become a number. */
  plain: boolean;
  /** The text itself, of a plain one: what a number looked like, what a variable was filled with. Null where that is not known. */
  written: string | null;
  /** A variable stood in it. */
  filled?: boolean;
  value: unknown;
}
export interface Mapping {
  kind: 'map';
  at: number | null;
  entries: Map<string, { keyAt: number | null; tree: Tree }>;
}
interface List {
  kind: 'list';
  at: number | null;
  items: Tree[];
}

export type Path = readonly PropertyKey[];

/** What is wrong, and where: an offset (null if there is none) and the path in the spec. */
export interface Fault {
  at: number | null;
  path: Path;
  message: string;
}

/** More nodes than any spec of 256 KB needs; aliases that unfold into more are an attack or an accident. */
const MOST_NODES = 50_000;
const DEEPEST = 40;

/** The tree of a YAML document. Faults are pushed on `faults`; what is faulty is left out. */
export function treeOfDocument(doc: Document.Parsed, faults: Fault[]): Tree {
  let left = MOST_NODES;
  const build = (given: Node | null | undefined, path: Path): Tree => {
    const node = isAlias(given) ? given.resolve(doc) : given;
    const at = given?.range?.[0] ?? null;
    if (isAlias(given) && node === undefined) {
      faults.push({ at, path, message: `nothing above is named "${given.source}" (name it with &${given.source})` });
    }
    left -= 1;
    if (left <= 0 || path.length > DEEPEST) {
      if (left === 0 || path.length > DEEPEST) faults.push({ at, path, message: 'nested too deep, or too large' });
      return leaf(null, at);
    }
    if (isMap(node)) {
      const entries: Mapping['entries'] = new Map();
      const merged: Mapping['entries'] = new Map();
      for (const pair of node.items as Pair<Node, Node | null>[]) {
        const keyAt = pair.key.range?.[0] ?? null;
        if (!isScalar(pair.key)) {
          faults.push({ at: keyAt, path, message: 'a key must be plain text' });
          continue;
        }
        const key = String(pair.key.value);
        if (key === '<<' && pair.key.type === 'PLAIN') {
          take(build(pair.value, path), merged, keyAt, path);
          continue;
        }
        if (key === '__proto__') {
          // The schema would pass over it without a word.
          faults.push({ at: keyAt, path, message: '"__proto__" cannot be a key (use another name)' });
          continue;
        }
        entries.set(key, { keyAt, tree: build(pair.value, [...path, key]) });
      }
      return { kind: 'map', at, entries: new Map([...merged, ...entries]) };
    }
    if (isSeq(node)) {
      return { kind: 'list', at, items: (node.items as Node[]).map((item, i) => build(item, [...path, i])) };
    }
    if (!isScalar(node)) return leaf(null, at);
    const plain = node.type === 'PLAIN';
    const written = plain ? (node.source ?? null) : null;
    if (typeof node.value === 'number' && written !== null && !keepsDigits(written, node.value)) {
      faults.push({ at, path, message: lostDigits(written, node.value) });
    }
    return { kind: 'leaf', at, end: given?.range?.[1] ?? null, plain, written, value: node.value };
  };
  /** A merge key (`<<`): what is written beside it goes first, of several mappings the first. */
  const take = (from: Tree, into: Mapping['entries'], keyAt: number | null, path: Path): void => {
    const maps = from.kind === 'list' ? from.items : [from];
    for (const map of maps) {
      if (map.kind !== 'map') {
        faults.push({ at: keyAt, path, message: '"<<" takes a mapping or a list of mappings (<<: *name)' });
        continue;
      }
      for (const [key, entry] of map.entries) if (!into.has(key)) into.set(key, entry);
    }
  };
  return build(doc.contents, []);
}

/** The tree of a JSON value. */
export function treeOfValue(value: unknown): Tree {
  if (Array.isArray(value)) return { kind: 'list', at: null, items: value.map(treeOfValue) };
  if (typeof value === 'object' && value !== null) {
    const entries: Mapping['entries'] = new Map();
    for (const [key, inner] of Object.entries(value)) {
      if (inner !== undefined) entries.set(key, { keyAt: null, tree: treeOfValue(inner) });
    }
    return { kind: 'map', at: null, entries };
  }
  return leaf(value, null);
}

function leaf(value: unknown, at: number | null): Leaf {
  return { kind: 'leaf', at, end: null, plain: false, written: null, value };
}

/** The plain value of a tree. */
export function plainOf(tree: Tree): unknown {
  switch (tree.kind) {
    case 'leaf':
      return tree.value;
    case 'list':
      return tree.items.map(plainOf);
    case 'map':
      return Object.fromEntries([...tree.entries].map(([key, entry]) => [key, plainOf(entry.tree)]));
  }
}

/** A child of a mapping. */
export function child(tree: Tree | undefined, key: string): Tree | undefined {
  return tree?.kind === 'map' ? tree.entries.get(key)?.tree : undefined;
}

/** The value at `path`. */
export function treeAt(tree: Tree, path: Path): Tree | undefined {
  let here: Tree | undefined = tree;
  for (const part of path) {
    if (here?.kind === 'list') here = here.items[Number(part)];
    else here = child(here, String(part));
  }
  return here;
}

/** The tree with each leaf as `change` answers it. */
export function mapLeaves(tree: Tree, change: (leaf: Leaf, path: Path) => Leaf, path: Path = []): Tree {
  switch (tree.kind) {
    case 'leaf':
      return change(tree, path);
    case 'list':
      return { ...tree, items: tree.items.map((item, i) => mapLeaves(item, change, [...path, i])) };
    case 'map': {
      const entries = [...tree.entries].map(
        ([key, entry]) => [key, { ...entry, tree: mapLeaves(entry.tree, change, [...path, key]) }] as const,
      );
      return { ...tree, entries: new Map(entries) };
    }
  }
}

/** A mapping with the child `key` set, in the place that it had. */
export function withChild(tree: Mapping, key: string, inner: Tree): Mapping {
  const keyAt = tree.entries.get(key)?.keyAt ?? null;
  return { ...tree, entries: new Map([...tree.entries, [key, { keyAt, tree: inner }]]) };
}

/**
 * Where `path` stands: the value itself, else the nearest part around it that was written. Mappings and lists are
 * found by their key. With `key`, a last part that is a key is found by that key.
 */
export function locate(tree: Tree, path: Path, key = false): number | null {
  let found = tree.at;
  let here: Tree | undefined = tree;
  for (const [i, part] of path.entries()) {
    if (here?.kind === 'map') {
      const entry: { keyAt: number | null; tree: Tree } | undefined = here.entries.get(String(part));
      if (entry === undefined) break;
      const byKey = entry.tree.kind !== 'leaf' || (key && i === path.length - 1);
      found = (byKey ? entry.keyAt : entry.tree.at) ?? found;
      here = entry.tree;
    } else if (here?.kind === 'list') {
      here = here.items[Number(part)];
      found = here?.at ?? found;
    } else break;
  }
  return found;
}

/** What may be written in only one of several ways: an override replaces it whole. */
const CHOICES: readonly string[] = ['release'];

/** `base` with `over` laid on it: mappings are merged, lists and single values replaced, a strategy of another type too. */
export function merge(base: Tree | undefined, over: Tree, key = ''): Tree {
  if (base?.kind !== 'map' || over.kind !== 'map' || CHOICES.includes(key) || otherType(base, over)) return over;
  const entries = new Map(base.entries);
  for (const [name, entry] of over.entries) {
    entries.set(name, { keyAt: entry.keyAt, tree: merge(entries.get(name)?.tree, entry.tree, name) });
  }
  return { kind: 'map', at: base.at, entries };
}

function otherType(base: Mapping, over: Mapping): boolean {
  const [was, is] = [child(base, 'type'), child(over, 'type')];
  return was?.kind === 'leaf' && is?.kind === 'leaf' && was.value !== is.value;
}
