import { ACCOUNT_OPTIONS, givenAccount } from '../account.js';
import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { emit, print, say } from '../print.js';

export const prune = command({
  name: 'prune',
  does: 'Lists the artifacts that nothing has used for 30 days; with --delete it deletes them.',
  more: [
    'Reads the ledgers, queues and running rollouts of the whole namespace first, and deletes nothing when one of them does not answer.',
    'Looks at one store: with {account} or {region} in SLUICE_STORE, run it once for each account and region.',
    'Uses your own rights to the artifact store (SLUICE_STORE): to list, and to delete.',
  ].join('\n'),
  args: [],
  options: [{ flags: '--delete', means: 'Delete them.' }, ...ACCOUNT_OPTIONS],
  examples: ['sluice prune', 'sluice prune --delete --account prod --region eu-west-1'],
  handler: async (given, ctx) => {
    const { account, region } = givenAccount(given, ctx);
    const found = await (await ctx.connect()).prune({ account, region, remove: given.flag('delete') });
    if (ctx.json) emit(ctx, found);
    else if (found.length === 0) say(ctx, 'every artifact was used in the last 30 days, or is still needed');
    else {
      const line = ({ name, lastUsed, removed }: (typeof found)[number]) =>
        `${removed ? 'deleted' : 'unused'} ${name}, last used ${new Date(lastUsed).toISOString().slice(0, 10)}`;
      print(ctx, found.map(line));
    }
    return EXIT.succeeded.code;
  },
});
