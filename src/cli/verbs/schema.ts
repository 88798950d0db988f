/** `sluice schema`: print the JSON Schema of rollout.yaml, for your editor. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { SluiceError } from '../../model/errors.js';
import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { projectRoot } from '../version.js';

export const schema = command({
  name: 'schema',
  summary: 'Print the JSON Schema of rollout.yaml, for your editor.',
  args: {},
  options: {},
  examples: ['sluice schema > rollout.schema.json'],
  handler: async (_input, ctx) => {
    const file = path.join(projectRoot(), 'schema', 'rollout.schema.json');
    try {
      ctx.stdout.write(readFileSync(file, 'utf8'));
    } catch {
      throw new SluiceError('SLUICE_SETUP', `${file} is missing; reinstall Sluice`);
    }
    return EXIT.succeeded.code;
  },
});
