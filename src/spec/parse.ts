/** From the text of a rollout.yaml, or a workflow's argument, to a checked spec or its problems. */
import path from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { SluiceError } from '../model/errors.js';
import type { RolloutInput, Spec } from '../model/spec.js';
import { check, checkComplete, type Expected, MOST_BYTES } from './check.js';
import { selectEnvironment } from './environment.js';
import { interpolate, type Variables } from './interpolate.js';
import { type Problem, problemOf, type Source, showProblem, writePath } from './problems.js';
import { writtenShape } from './shape.js';
import { syntaxFault } from './syntax.js';
import { type Fault, type Tree, treeOfDocument, treeOfValue } from './tree.js';

/** What is known besides the text. */
export interface TextOptions extends Expected {
  /** The file's name, for messages; its folder is the `baseDir` unless that is given. */
  file?: string | undefined;
  /** Variables for `${VAR}`, usually `process.env`. */
  env?: Readonly<Record<string, string | undefined>> | undefined;
}

export interface ValueOptions extends Expected {
  /** Variables for `${VAR}`. Without it a variable is refused: a worker's own environment is nobody else's business. */
  env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** The spec, or everything that is wrong with it. */
export type Checked = { spec: Spec; problems: [] } | { spec: null; problems: Problem[] };

/** A rollout.yaml's spec with all defaults. Errors: SLUICE_SPEC, with one line a problem. */
export function parseSpecText(text: string, options: TextOptions = {}): Spec {
  return orThrow(checkSpecText(text, options));
}

/** As {@link parseSpecText}, with the problems as data. */
export function checkSpecText(text: string, options: TextOptions = {}): Checked {
  const file = options.file ?? null;
  const lines = new LineCounter();
  const faults: Fault[] = [];
  const done = (spec: Spec | null) => result(spec, faults, file, { lines, text });
  if (Buffer.byteLength(text) > MOST_BYTES) {
    faults.push({
      at: null,
      path: [],
      message: `the file is larger than ${MOST_BYTES} bytes, the limit for a rollout.yaml`,
    });
    return done(null);
  }
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2' });
  for (const error of doc.errors.filter(({ code }) => code === 'DUPLICATE_KEY')) {
    faults.push({ at: error.pos[0], path: [], message: syntaxFault(error) });
  }
  for (const warning of doc.warnings) faults.push({ at: warning.pos[0], path: [], message: syntaxFault(warning) });
  const broken = doc.errors.find(({ code }) => code !== 'DUPLICATE_KEY');
  if (broken !== undefined) {
    // The rest of the tree is a guess, and its faults, like the further syntax errors, would mislead.
    faults.push({ at: broken.pos[0], path: [], message: `${syntaxFault(broken)}${quoteHint(text, broken.pos[0])}` });
    return done(null);
  }
  const tree = treeOfDocument(doc, faults);
  const baseDir = options.baseDir ?? (file === null ? undefined : path.dirname(path.resolve(file)));
  return done(read(tree, { ...options, baseDir }, options.env ?? {}, text, faults));
}

/** YAML takes the braces of an unquoted variable for its own, inside other braces. */
function quoteHint(text: string, at: number): string {
  const line = text.slice(text.lastIndexOf('\n', at - 1) + 1).split('\n', 1)[0] ?? '';
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the hint shows a variable
  return /\{.*\$\{/.test(line) ? ' (inside {…} put a value with ${…} in quotes)' : '';
}

/**
 * The spec of a workflow's JSON argument, with all defaults. It may be a parsed rollout.yaml, or a complete spec that this
 * function returned: that carries `specSchema: 1`, has its durations in ms and its shares as 0-1, holds no variables, and
 * is checked as it is. Errors: SLUICE_SPEC, with one line a problem.
 */
export function parseSpecValue(value: unknown, options: ValueOptions = {}): Spec {
  const faults: Fault[] = [];
  const spec = readValue(value, options, faults);
  return orThrow(result(spec, faults, null, null));
}

function readValue(value: unknown, options: ValueOptions, faults: Fault[]): Spec | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    faults.push({ at: null, path: [], message: 'expected one JSON object: a parsed rollout.yaml' });
    return null;
  }
  const schema = (value as RolloutInput).specSchema;
  if (schema === undefined) {
    return read(treeOfValue(value), options, options.env ?? null, null, faults);
  }
  if (schema !== 1) {
    const message = `spec schema ${JSON.stringify(schema)} is not known here, only 1 (update Sluice)`;
    faults.push({ at: null, path: ['specSchema'], message });
    return null;
  }
  const shaped = treeOfValue(writtenShape(value as RolloutInput));
  return checkComplete(selectEnvironment(shaped, options.environment, null, null, faults), options, faults);
}

function read(tree: Tree, expected: Expected, variables: Variables, text: string | null, faults: Fault[]): Spec | null {
  if (tree.kind !== 'map') {
    faults.push({ at: tree.at, path: [], message: 'expected a mapping that begins with app: and target:' });
    return null;
  }
  const one = selectEnvironment(tree, expected.environment, variables, text, faults);
  const filled = interpolate(one, variables, text, faults);
  const before = faults.length;
  const spec = check(filled, expected, faults);
  // A place that has a fault already (an unset variable) is not complained of twice.
  const earlier = new Set(faults.slice(0, before).map((fault) => writePath(fault.path)));
  const fresh = faults.splice(before).filter((fault) => fault.path.length === 0 || !earlier.has(writePath(fault.path)));
  faults.push(...fresh);
  return spec;
}

function result(spec: Spec | null, faults: Fault[], file: string | null, source: Source | null): Checked {
  if (spec !== null && faults.length === 0) return { spec, problems: [] };
  const sorted = [...faults].sort((a, b) => (a.at ?? -1) - (b.at ?? -1));
  return { spec: null, problems: sorted.map((fault) => problemOf(fault, file, source)) };
}

function orThrow(checked: Checked): Spec {
  if (checked.spec !== null) return checked.spec;
  throw new SluiceError('SLUICE_SPEC', checked.problems.map(showProblem).join('\n'));
}
