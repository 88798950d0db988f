import type { Spec } from '../../model/spec.js';
import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { emit, print } from '../print.js';
import { environmentsIn, readSpec } from '../spec-file.js';

export const validate = command({
  name: 'validate',
  does: 'Checks a rollout.yaml without any server: every error with file, line and column.',
  args: [{ name: '<file>', means: 'rollout.yaml; - for stdin' }],
  options: [{ flags: '-e, --env <environment>', means: 'Only this environment; without it all that the file has.' }],
  examples: ['sluice validate rollout.yaml', 'sluice validate rollout.yaml --env staging -o json'],
  handler: async (given, ctx) => {
    const file = given.arg('file');
    const wanted = given.text('env');
    const named = wanted !== undefined || file === '-' ? [] : await environmentsIn(ctx, file);
    const environments = named.length === 0 ? [wanted] : named;
    const specs: Spec[] = [];
    for (const environment of environments) specs.push(await readSpec(ctx, file, { environment }));
    if (ctx.json) emit(ctx, { valid: true, specs });
    else
      print(
        ctx,
        specs.map((spec) => `valid: ${spec.app}/${spec.environment}, ${spec.strategy.type}`),
      );
    return EXIT.succeeded.code;
  },
});
