/** `sluice validate`: check a rollout.yaml offline; errors come with line and column. */
import { command } from '../command.js';
import { SPEC_FILE } from '../common.js';
import { EXIT } from '../exit-codes.js';
import { text } from '../inputs.js';
import { print, printJson } from '../print.js';
import { readAllSpecs, readSpec } from '../spec-file.js';

export const validate = command({
  name: 'validate',
  summary: 'Check a rollout.yaml offline; errors come with line and column.',
  args: { file: SPEC_FILE },
  options: { env: text('environment', 'Check only this environment (default: all in the file).', 'e') },
  examples: ['sluice validate rollout.yaml', 'sluice validate rollout.yaml --env staging -o json'],
  handler: async ({ args: { file }, options }, ctx) => {
    const { env: environment } = options;
    const specs =
      environment === undefined ? await readAllSpecs(ctx, file) : [await readSpec(ctx, file, { environment })];
    if (ctx.json) printJson(ctx, { valid: true, specs });
    else
      print(
        ctx,
        specs.map((spec) => `valid: ${spec.app}/${spec.environment}, ${spec.strategy.type}`),
      );
    return EXIT.succeeded.code;
  },
});
