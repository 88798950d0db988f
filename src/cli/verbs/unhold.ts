import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { emit, print } from '../print.js';
import { BY, LOGIN, TARGET } from './message.js';

export const unhold = command({
  name: 'unhold',
  does: 'Releases a target that undo --hold holds, so that rollouts start there again.',
  args: [TARGET],
  options: [BY, LOGIN],
  examples: ['sluice unhold checkout/production'],
  handler: async (given, ctx) => {
    const target = given.target();
    const answer = await (await ctx.connect()).unhold(target, { by: given.by() });
    if (ctx.json) emit(ctx, answer);
    else print(ctx, `released ${target.app}/${target.environment}: rollouts start there again`);
    return EXIT.succeeded.code;
  },
});
