import { readFileSync } from 'node:fs';
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
  test('is the committed file (when not: npx sluice schema > schema/rollout.schema.json)', () => {
    expect(JSON.parse(readFileSync(FILE, 'utf8'))).toEqual(JSON.parse(JSON.stringify(jsonSchema())));
  });

  test('describes every field', () => {
    const all = [...descriptions(jsonSchema())];
    expect(all.length).toBeGreaterThan(100);
    expect(all.filter(([, said]) => typeof said !== 'string')).toEqual([]);
  });
});
