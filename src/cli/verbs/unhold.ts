/** `sluice unhold`: allow rollouts again after `undo --hold`. */
import { command } from '../command.js';
import { BY, LOGIN, TARGET } from '../common.js';
import { EXIT } from '../exit-codes.js';
import { print, printJson } from '../print.js';

export const unhold = command({
  name: 'unhold',
  summary: 'Allow rollouts again after `undo --hold`.',
  args: { target: TARGET },
  options: { by: BY, login: LOGIN },
  examples: ['sluice unhold checkout/production'],
  handler: async ({ args: { target }, options }, ctx) => {
    const answer = await (await ctx.connect()).unhold(target, { by: options.by });
    if (ctx.json) printJson(ctx, answer);
    else print(ctx, `${target.app}/${target.environment} is no longer held; rollouts can start again`);
    return EXIT.succeeded.code;
  },
});
