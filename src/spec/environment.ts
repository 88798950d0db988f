/** Picks one environment of a rollout.yaml and merges its overrides. */
import { interpolate, type Variables } from './interpolate.js';
import { suggestion } from './nearest.js';
import { child, type Fault, locate, merge, type Tree } from './tree.js';

/**
 * The spec of one environment: the top level merged with `environments.<name>`. `wanted` overrides the file's own
 * `environment`. If a file lists environments, any other name is refused: a typing error must not create a second lock on the
 * same target.
 */
export function selectEnvironment(
  tree: Tree,
  wanted: string | undefined,
  variables: Variables,
  text: string | null,
  faults: Fault[],
): Tree {
  if (tree.kind !== 'map') return tree;
  const listed = child(tree, 'environments');
  const own = child(tree, 'environment');
  const base: Tree = { ...tree, entries: new Map([...tree.entries].filter(([key]) => key !== 'environments')) };
  if (listed !== undefined && listed.kind !== 'map') {
    faults.push({
      at: locate(tree, ['environments']),
      path: ['environments'],
      message: 'expected a mapping (name: overrides)',
    });
    return base;
  }
  const names = listed === undefined ? [] : [...listed.entries.keys()];
  const written = own === undefined ? undefined : interpolate(own, variables, text, [], ['environment']);
  const ownName = written?.kind === 'leaf' && typeof written.value === 'string' ? written.value : undefined;
  const chosen = wanted ?? ownName;
  if (chosen === undefined) {
    if (own === undefined) {
      const which =
        names.length === 0
          ? 'write environment: production, or choose one with -e'
          : `choose one with -e: ${names.join(', ')}`;
      faults.push({ at: tree.at, path: ['environment'], message: `is missing (${which})` });
    }
    return base;
  }
  const known = listed === undefined ? (ownName === undefined ? [chosen] : [ownName]) : names;
  if (!known.includes(chosen)) {
    const place = listed === undefined ? 'environment' : 'environments';
    const message =
      listed !== undefined && chosen === ownName
        ? `leaves out "${chosen}", the environment of this file (add \`${chosen}:\` here, also when nothing differs; here: ${names.join(', ')})`
        : `this spec has no environment "${chosen}"${suggestion(chosen, known)}`;
    faults.push({ at: locate(tree, [place]), path: [place], message });
  }
  const over = child(listed, chosen);
  const merged = over === undefined || isEmpty(over) ? base : merge(base, over);
  if (merged.kind !== 'map') {
    faults.push({
      at: locate(tree, ['environments', chosen]),
      path: ['environments', chosen],
      message: 'expected a mapping of what differs in this environment',
    });
    return base;
  }
  const name: Tree = { kind: 'leaf', at: own?.at ?? tree.at, end: null, plain: false, written: null, value: chosen };
  return { ...merged, entries: new Map([...merged.entries, ['environment', { keyAt: null, tree: name }]]) };
}

/** `production:` with nothing behind it: the environment exists and differs in nothing. */
function isEmpty(tree: Tree): boolean {
  return tree.kind === 'leaf' && tree.value === null;
}
