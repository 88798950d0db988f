import { ACCOUNT_OPTIONS, givenAccount } from '../account.js';
import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { emit, frameOf, print, say } from '../print.js';
import { table } from '../render/table.js';

export const sweep = command({
  name: 'sweep',
  does: 'Finds targets that a terminated rollout has left split, and says what to do. Changes nothing.',
  args: [],
  options: ACCOUNT_OPTIONS,
  examples: ['sweep', 'sweep --account prod --region eu-west-1 -o json'].map((line) => `sluice ${line}`),
  handler: async (given, ctx) => {
    const account = givenAccount(given, ctx);
    const found = await (await ctx.connect()).sweep(account);
    if (ctx.json) emit(ctx, found);
    else if (found.length === 0) say(ctx, `nothing is left split in account ${account.account}, ${account.region}`);
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
