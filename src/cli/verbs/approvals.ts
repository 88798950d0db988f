import type { OpenApproval } from '../../client/types.js';
import { clean } from '../../model/text.js';
import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { emit, frameOf, print, say } from '../print.js';
import { table } from '../render/table.js';
import { left } from '../render/time.js';

export const approvals = command({
  name: 'approvals',
  does: 'Lists the approvals that are open, the one that closes first at the top.',
  args: [],
  options: [{ flags: '--mine', means: 'Only those where your approval would count, by your key.' }],
  examples: ['sluice approvals --mine'],
  handler: async (given, ctx) => {
    const found = await (await ctx.connect()).approvals();
    const shown = given.flag('mine') ? found.filter(({ mine }) => mine) : found;
    if (ctx.json) emit(ctx, shown);
    else if (shown.length === 0) say(ctx, 'no approval is open');
    else {
      const head = ['ROLLOUT', 'STAGE', 'RELEASE', 'APPROVED', 'CLOSES', 'STARTED BY', 'COMMAND'];
      print(
        ctx,
        table(
          head,
          shown.map((each) => row(each, ctx.now())),
          frameOf(ctx),
        ),
      );
    }
    return EXIT.succeeded.code;
  },
});

function row({ app, environment, candidate, startedBy, gate }: OpenApproval, now: number) {
  const by = gate.approved.length === 0 ? '' : ` (${gate.approved.map((name) => clean(name, 30)).join(', ')})`;
  return [
    `${app}/${environment}`,
    gate.stage,
    candidate ?? '–',
    `${gate.approved.length} of ${gate.people}${by}`,
    left(gate.expires, now),
    startedBy ?? '–',
    `sluice approve ${app}/${environment}`,
  ].map((text) => ({ text }));
}
