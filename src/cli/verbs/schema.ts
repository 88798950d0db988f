import { readFileSync } from 'node:fs';
import path from 'node:path';
import { SluiceError } from '../../model/errors.js';
import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { projectRoot } from '../version.js';

export const schema = command({
  name: 'schema',
  does: 'Prints the JSON Schema of rollout.yaml, for editors.',
  args: [],
  options: [],
  examples: ['sluice schema > rollout.schema.json'],
  handler: async (_given, ctx) => {
    const file = path.join(projectRoot(), 'schema', 'rollout.schema.json');
    try {
      ctx.stdout.write(readFileSync(file, 'utf8'));
    } catch {
      throw new SluiceError('SLUICE_SETUP', `${file} is missing; this installation is not complete`);
    }
    return EXIT.succeeded.code;
  },
});
