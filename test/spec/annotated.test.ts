import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { checkSpecText, jsonSchema, writeProblem } from '../../src/spec/index.js';

type Json = Record<string, unknown>;
type Place = { path: string; schema: Json; value: unknown };

const text = readFileSync('examples/rollout.annotated.yaml', 'utf8');
const doc = parse(text) as Json;

/** The parts marked `#:`, each a mapping that takes the place of the same part of the document. */
function alternatives(): Json[] {
  const blocks: string[][] = [];
  let above = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('#: ')) {
      const part = line.slice(3);
      if (!above.startsWith('#: ')) blocks.push([]);
      const now = blocks.at(-1) ?? [];
      const key = /^(\w+):/.exec(part)?.[1];
      // The same key again begins the next alternative.
      if (key !== undefined && now.some((said) => said.startsWith(`${key}:`))) blocks.push([part]);
      else now.push(part);
    }
    above = line;
  }
  return blocks.map((block) => parse(block.join('\n')) as Json);
}

/** What tells one of several forms from the others: the only field with one possible value. */
function discriminatorOf(form: Json): { is: unknown; fits(value: Json): boolean } {
  const [key, { const: is }] = Object.entries(form.properties as Record<string, Json>).find(
    ([, field]) => 'const' in field,
  ) as [string, Json];
  return { is, fits: (value) => value[key] === is };
}

/** Each schema field, with every value the document gives it. */
function* places(schema: Json, value: unknown, path = ''): Generator<Place> {
  const branch = (schema.oneOf as Json[] | undefined)?.find((one) => discriminatorOf(one).fits(value as Json));
  if (branch !== undefined) return yield* places(branch, value, `${path}<${discriminatorOf(branch).is}>`);
  if (Array.isArray(value) && schema.items !== undefined) {
    for (const item of value) yield* places(schema.items as Json, item, `${path}[]`);
  }
  if (schema.properties === undefined || typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(schema.properties as Record<string, Json>)) {
    if (!Object.hasOwn(value, key)) continue;
    const at = `${path}.${key}`;
    yield { path: at, schema: inner, value: (value as Json)[key] };
    yield* places(inner, (value as Json)[key], at);
  }
}

/** The paths of all fields of the schema. */
function* fields(schema: Json, path = ''): Generator<string> {
  for (const one of (schema.oneOf as Json[] | undefined) ?? []) {
    yield* fields(one, `${path}<${discriminatorOf(one).is}>`);
  }
  if (schema.items !== undefined) yield* fields(schema.items as Json, `${path}[]`);
  for (const [key, inner] of Object.entries((schema.properties as Record<string, Json> | undefined) ?? {})) {
    yield `${path}.${key}`;
    yield* fields(inner, `${path}.${key}`);
  }
}

const shown = [doc, ...alternatives()].flatMap((value) => [...places(jsonSchema(), value)]);

describe('the annotated rollout.yaml', () => {
  test.each(['production', 'staging'])('is a valid spec for %s', (environment) => {
    const checked = checkSpecText(text, { file: 'examples/rollout.annotated.yaml', environment, env: {} });
    expect(checked.problems.map(writeProblem)).toEqual([]);
  });

  test.each(alternatives().map((one) => [JSON.stringify(one), one] as const))('is valid with %s in place', (_, one) => {
    const merged = { ...doc, ...one };
    const checked = checkSpecText(JSON.stringify(merged), { environment: 'production', env: {} });
    expect(checked.problems.map(writeProblem)).toEqual([]);
  });

  test('shows every field', () => {
    const seen = new Set(shown.map(({ path }) => path));
    const missing = [...new Set(fields(jsonSchema()))].filter((path) => !seen.has(path));
    expect(missing).toEqual([]);
  });

  test('shows every default correctly', () => {
    const plain = shown.filter(
      ({ path, schema }) => 'default' in schema && path !== '.strategy' && !isLarge(schema.default),
    );
    expect(plain.length).toBeGreaterThan(40);
    const seen = plain.map(({ path, value }) => ({ path, value }));
    expect(seen).toEqual(plain.map(({ path, schema }) => ({ path, value: shownDefault(path, schema.default) })));
  });
});

/** Defaults with parts of their own are compared part by part. */
function isLarge(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !(Array.isArray(value) && value.length === 0);
}

/** The lists that have an alternative with entries. */
function shownDefault(path: string, value: unknown): unknown {
  return ['.notify', '.allowBypass', '.health.alarms'].includes(path) ? expect.any(Array) : value;
}
