/** `sluice sweep`: find targets that a terminated rollout left with split traffic. */
import { ACCOUNT_OPTIONS, accountOf } from '../account.js';
import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { frameOf, note, print, printJson } from '../print.js';
import { table } from '../render/table.js';

export const sweep = command({
  name: 'sweep',
  summary: 'Find targets that a terminated rollout left with split traffic.',
  description: 'Says how to fix each of them. Changes nothing.',
  args: {},
  options: ACCOUNT_OPTIONS,
  examples: ['sluice sweep', 'sluice sweep --account prod --region eu-west-1 -o json'],
  handler: async ({ options }, ctx) => {
    const account = accountOf(options, ctx);
    const found = await (await ctx.connect()).sweep(account);
    if (ctx.json) printJson(ctx, found);
    else if (found.length === 0)
      note(ctx, `no target is left with split traffic in account ${account.account}, ${account.region}`);
    else {
      const rows = found.map((each) => [
        { text: each.target },
        { text: `${each.app}/${each.environment}` },
        { text: each.split },
        { text: each.cure },
      ]);
      print(ctx, table(['TARGET', 'ROLLOUT', 'SPLIT', 'WHAT TO DO'], rows, { ...frameOf(ctx), width: Infinity }));
    }
    return EXIT.succeeded.code;
  },
});
