/** Replaces the variables of a rollout.yaml. */
import { keepsDigits, sameNotation } from './digits.js';
import type { Fault, Path, Tree } from './tree.js';

/** The variables a spec may use. Null: none may be used here, since the client fills them in. */
export type Variables = Readonly<Record<string, string | undefined>> | null;

/** `$${` (a literal `${`), or `${` up to its `}`. */
const REFERENCE = /\$\$\{|\$\{([^}]*)\}?/g;
const VARIABLE = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/**
 * The tree with `${VAR}` and `${VAR:-default}` filled in, in values and never in keys. As in a shell, the default also
 * replaces an empty variable. A value without quotes becomes the number or boolean that it then looks like, if that loses no
 * digit; `asWanted` converts it to what its place requires.
 */
export function interpolate(
  tree: Tree,
  variables: Variables,
  text: string | null,
  faults: Fault[],
  path: Path = [],
): Tree {
  switch (tree.kind) {
    case 'map': {
      const entries = new Map(
        [...tree.entries].map(([key, { keyAt, tree: inner }]) => [
          key,
          { keyAt, tree: interpolate(inner, variables, text, faults, [...path, key]) },
        ]),
      );
      return { ...tree, entries };
    }
    case 'list':
      return {
        ...tree,
        items: tree.items.map((item, i) => interpolate(item, variables, text, faults, [...path, i])),
      };
    case 'leaf': {
      if (typeof tree.value !== 'string' || !tree.value.includes('${')) return tree;
      const fail = (reference: string, message: string) => {
        faults.push({ at: place(tree.at, tree.end, text, reference), path, message });
        return reference;
      };
      const filled = tree.value.replace(REFERENCE, (whole, inside: string | undefined) =>
        whole === '$${' ? '${' : fill(whole, inside ?? '', variables, fail),
      );
      return tree.plain
        ? { ...tree, written: filled, filled: true, value: resolve(filled) }
        : { ...tree, value: filled };
    }
  }
}

function fill(
  whole: string,
  inside: string,
  variables: Variables,
  fail: (reference: string, message: string) => string,
): string {
  const [, name, fallback] = VARIABLE.exec(inside) ?? [];
  if (name === undefined || !whole.endsWith('}')) {
    return fail(whole, `"${whole}" is not a variable (write \${NAME} or \${NAME:-default}; $\${ for a literal \${)`);
  }
  if (variables === null) {
    return fail(
      whole,
      `variable ${name} cannot be filled in here (the client fills variables in when it reads rollout.yaml; write $\${ for a literal \${)`,
    );
  }
  const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
  if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
  return value ?? fail(whole, `variable ${name} is not set (set it, or give a default: \${${name}:-…})`);
}

/** A plain text as YAML's core schema reads the commonest ones. Never structure: a variable cannot smuggle keys in. */
function resolve(text: string): unknown {
  if (isNumber(text) && sameNotation(text, Number(text))) return Number(text);
  if (text === 'true' || text === 'false') return text === 'true';
  return text;
}

/** A variable's text as a value of the kind that its place requires; unchanged if it is not one. */
export function asWanted(filled: string, wanted: string): unknown {
  if (wanted === 'string') return filled;
  if ((wanted === 'number' || wanted === 'int') && isNumber(filled)) {
    const value = Number(filled);
    return keepsDigits(filled, value) ? value : filled;
  }
  if (wanted === 'boolean' && (filled === 'true' || filled === 'false')) return filled === 'true';
  return filled;
}

function isNumber(text: string): boolean {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text);
}

/** Offset of the reference inside its value; of the value where quoting or folding hides it. */
function place(at: number | null, end: number | null, text: string | null, reference: string): number | null {
  if (at === null || text === null) return at;
  const found = text.indexOf(reference, at);
  return found === -1 || (end !== null && found >= end) ? at : found;
}
