import { writeFileSync } from 'node:fs';
import { jsonSchema } from '../../src/spec/index.js';
test('gen', () => { writeFileSync('schema/rollout.schema.json', `${JSON.stringify(jsonSchema(), null, 2)}\n`); });
