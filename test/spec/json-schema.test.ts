// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of a spec are what is tested
import { readFileSync, writeFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { jsonSchema } from '../../src/spec/index.js';

const FILE = 'schema/rollout.schema.json';

function* descriptions(value: unknown, path = ''): Generator<[string, unknown]> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'properties') {
      for (const [name, field] of Object.entries(inner as Record<string, { description?: string }>)) {
        yield [`${path}.${name}`, field.description];
        yield* descriptions(field, `${path}.${name}`);
      }
    } else if (key !== 'default') yield* descriptions(inner, path);
  }
}

describe('the published JSON Schema', () => {
  test('is the committed file (run this test with UPDATE_SCHEMA=1 to rewrite it)', () => {
    if (process.env.UPDATE_SCHEMA === '1') writeFileSync(FILE, `${JSON.stringify(jsonSchema(), null, 2)}\n`);
    expect(JSON.parse(readFileSync(FILE, 'utf8'))).toEqual(JSON.parse(JSON.stringify(jsonSchema())));
  });

  test('describes every field', () => {
    const all = [...descriptions(jsonSchema())];
    expect(all.length).toBeGreaterThan(100);
    expect(all.filter(([, said]) => typeof said !== 'string')).toEqual([]);
  });

  describe('as a validator', () => {
    const validator = z.fromJSONSchema(jsonSchema() as Parameters<typeof z.fromJSONSchema>[0]);
    const example = () => parse(readFileSync('examples/rollout.annotated.yaml', 'utf8'));

    test('accepts the annotated example', () => {
      expect(validator.safeParse(example()).error?.issues ?? []).toEqual([]);
    });

    test('accepts a variable wherever a value has a fixed form', () => {
      const spec = example();
      spec.configuration.memory = '${MEMORY:-256}';
      spec.retain = '${RETAIN}';
      expect(validator.safeParse(spec).success).toBe(true);
    });

    test.each([
      ['an unknown key', { bakee: '5m' }],
      ['a bare number for a duration', { rollbackWindow: 300 }],
      ['a wrong choice', { onNewRelease: 'wait' }],
      ['a duration without unit in an override', { environments: { staging: { rollbackWindow: '5' } } }],
    ])('refuses %s', (_, change) => {
      expect(validator.safeParse({ ...example(), ...change }).success).toBe(false);
    });
  });
});
