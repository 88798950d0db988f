/** The problems of a spec, with line, column and a caret. */
import type { LineCounter } from 'yaml';
import type { z } from 'zod';
import { clean } from '../model/text.js';
import { excerpt } from './excerpt.js';
import type { Fault, Path, Tree } from './tree.js';
import { locate, treeAt } from './tree.js';

/** One thing that is wrong with a spec. Line and column count from 1; null when the spec did not come as text. */
export interface Problem {
  file: string | null;
  line: number | null;
  column: number | null;
  /** `strategy.stages[1].weight`; empty for the whole spec. */
  path: string;
  message: string;
  /** The line with a caret under the place; null if there is none to show. */
  excerpt: string | null;
}

/** The text that a document was read from. */
export interface Source {
  text: string;
  lines: LineCounter;
}

/** What stands near a secret. */
const SECRET = /secret|token|passw|credential|authorization|api.?key/i;

/** A fault with its place in the text; without a text, with its path alone. */
export function problemOf({ at, path, message }: Fault, file: string | null, source: Source | null): Problem {
  const of = { file, path: writePath(path), message };
  if (source === null) return { ...of, line: null, column: null, excerpt: null };
  // What has no place of its own is about the whole file; an empty file has no lines to count.
  const pos = source.lines.linePos(at ?? 0);
  const [line, column] = [Math.max(pos.line, 1), Math.max(pos.col, 1)];
  const shown = at === null ? null : excerpt(source.text, line, column);
  // The line may hold the secret that should not be there, and an error is printed into logs.
  return { ...of, line, column, excerpt: SECRET.test(`${message} ${shown}`) ? null : shown };
}

/** As {@link writeProblem}, with the line and a caret under the place. */
export function showProblem(problem: Problem): string {
  return problem.excerpt === null ? writeProblem(problem) : `${writeProblem(problem)}\n${problem.excerpt}`;
}

/** `file:line:col path: message`. */
export function writeProblem(problem: Problem): string {
  const place = problem.line === null ? '' : `${problem.file ?? 'rollout.yaml'}:${problem.line}:${problem.column} `;
  return `${place}${problem.path === '' ? '' : `${problem.path}: `}${problem.message}`;
}

export function writePath(path: Path): string {
  let said = '';
  for (const part of path) {
    if (typeof part === 'number') said += `[${part}]`;
    else if (/^[\w$-]+$/.test(String(part))) said += said === '' ? String(part) : `.${String(part)}`;
    else said += `[${JSON.stringify(clean(String(part)))}]`;
  }
  return said;
}

/** What zod says of a size. */
const SIZES: ReadonlySet<z.core.$ZodIssue['code']> = new Set(['too_big', 'too_small']);

/** The schema's complaints, each with the place it is about. */
export function faultsOf(issues: readonly z.core.$ZodIssue[], tree: Tree): Fault[] {
  // What is of the wrong kind has no size either: zod measures a text in the place of a list by its characters.
  const wrong = new Set(issues.filter(({ code }) => code === 'invalid_type').map(({ path }) => writePath(path)));
  return issues.flatMap((issue): Fault[] => {
    if (SIZES.has(issue.code) && wrong.has(writePath(issue.path))) return [];
    if (issue.code === 'unrecognized_keys') {
      // One line a key, in the keys' order: see `strict`.
      const lines = issue.message.split('\n');
      return issue.keys.map((key, i) => {
        const path = [...issue.path, key];
        return { at: locate(tree, path, true), path: issue.path, message: lines[i] ?? `unknown key "${key}"` };
      });
    }
    if (issue.code === 'invalid_key') {
      const why = issue.issues.map((inner) => inner.message).join(', ');
      return [{ at: locate(tree, issue.path, true), path: issue.path, message: `not a valid name: ${why}` }];
    }
    if (issue.code === 'invalid_union') {
      const branch = meant(issue.errors);
      if (branch !== undefined) {
        return faultsOf(
          branch.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })),
          tree,
        );
      }
    }
    return [{ at: locate(tree, issue.path), path: issue.path, message: quoting(issue, treeAt(tree, issue.path)) }];
  });
}

/** Where text is wanted and something else was written: how to write it as text, with the very characters. */
function quoting(issue: z.core.$ZodIssue, found: Tree | undefined): string {
  const written = found?.kind === 'leaf' && typeof found.value !== 'string' ? found.written : null;
  // A field with words of its own has a hint of its own.
  if (!issue.message.startsWith(TEXT_WANTED) || written === null || written === '') return issue.message;
  return `${TEXT_WANTED}, not ${clean(written, 60)} (quote it: ${clean(JSON.stringify(written), 70)})`;
}

/** Of the forms that a value may have, the one that was meant: of the right kind, with mistakes inside; else the first. */
function meant(branches: z.core.$ZodIssue[][]): z.core.$ZodIssue[] | undefined {
  const ofItsKind = branches.find(
    (issues) => !issues.some(({ code, path }) => code === 'invalid_type' && path.length === 0),
  );
  return ofItsKind ?? branches[0];
}

const TEXT_WANTED = 'expected text';

const NAMES: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping (key: value)',
  record: 'a mapping (key: value)',
  array: 'a list',
  null: 'nothing',
  undefined: 'nothing',
};

/** What the schema says where a field has no words of its own. */
export function say(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.input === undefined) return 'is missing';
  if (issue.code !== 'invalid_type' && issue.code !== 'invalid_value') return undefined;
  if (issue.code === 'invalid_value') {
    return `expected ${issue.values.map(String).join(' or ')}, not ${shown(issue.input)}`;
  }
  const quotes = issue.expected === 'string' && ['number', 'boolean'].includes(typeof issue.input);
  const hint = quotes ? ' (quote it)' : '';
  return `expected ${NAMES[issue.expected] ?? issue.expected}, not ${kindOf(issue.input)}${hint}`;
}

function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a mapping' : shown(value);
}

function shown(value: unknown): string {
  return typeof value === 'object' ? kindOf(value) : clean(JSON.stringify(value), 60);
}
