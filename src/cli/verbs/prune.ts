/** `sluice prune`: list artifacts unused for 30 days; --delete deletes them. */
import { ACCOUNT_OPTIONS, accountOf } from '../account.js';
import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { flag } from '../inputs.js';
import { note, print, printJson } from '../print.js';

export const prune = command({
  name: 'prune',
  summary: 'List artifacts unused for 30 days; --delete deletes them.',
  description: [
    'First reads the release ledgers, queues and running rollouts of the whole namespace. If any does not answer, nothing is deleted.',
    'Covers one store: if SLUICE_STORE contains {account} or {region}, run it once per account and region.',
    'Uses your own permissions on the artifact store (SLUICE_STORE): list, and delete.',
  ].join('\n'),
  args: {},
  options: { delete: flag('Delete the listed artifacts.'), ...ACCOUNT_OPTIONS },
  examples: ['sluice prune', 'sluice prune --delete --account prod --region eu-west-1'],
  handler: async ({ options }, ctx) => {
    const { account, region } = accountOf(options, ctx);
    const found = await (await ctx.connect()).prune({ account, region, remove: options.delete });
    if (ctx.json) printJson(ctx, found);
    else if (found.length === 0)
      note(ctx, 'nothing to prune: every artifact is still needed or was used in the last 30 days');
    else {
      const line = ({ name, lastUsed, removed }: (typeof found)[number]) =>
        `${removed ? 'deleted' : 'unused'} ${name}, last used ${new Date(lastUsed).toISOString().slice(0, 10)}`;
      print(ctx, found.map(line));
    }
    return EXIT.succeeded.code;
  },
});
