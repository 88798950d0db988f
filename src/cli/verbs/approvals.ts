/** `sluice approvals`: list stages waiting for approval, the first to expire on top. */
import type { OpenApproval } from '../../client/types.js';
import { approveCommand } from '../../model/rollout/next.js';
import { clean } from '../../model/text.js';
import { command } from '../command.js';
import { EXIT, exitOfError } from '../exit-codes.js';
import { flag } from '../inputs.js';
import { frameOf, note, print, printJson } from '../print.js';
import { table } from '../render/table.js';
import { left } from '../render/time.js';

export const approvals = command({
  name: 'approvals',
  summary: 'List stages waiting for approval, the first to expire on top.',
  description: "Rollouts that don't respond are listed on stderr, and the exit code is not 0.",
  args: {},
  options: { mine: flag('Only those you can approve, judging by your key.') },
  examples: ['sluice approvals --mine'],
  handler: async ({ options }, ctx) => {
    const { open, unasked } = await (await ctx.connect()).approvals();
    const shown = options.mine ? open.filter(({ mine }) => mine) : open;
    if (ctx.json) printJson(ctx, shown);
    if (shown.length === 0) note(ctx, noneOf(open, unasked.length));
    else if (!ctx.json) {
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
    for (const { app, environment, code, message } of unasked) {
      note(ctx, `${app}/${environment} did not respond: ${clean(message, 1_000)} [${code}]`);
    }
    const [first] = unasked;
    return first === undefined ? EXIT.succeeded.code : exitOfError(first.code);
  },
});

/** Why the list is empty: no approvals are open, none for the caller, or none could be read. */
function noneOf(open: OpenApproval[], unasked: number): string {
  const known = unasked === 0 ? '' : ' among the rollouts that responded';
  if (open.length === 0) return `no approvals are open${known}`;
  const are = open.length === 1 ? '1 approval is' : `${open.length} approvals are`;
  const why = [...new Set(open.map(({ notMine }) => notMine ?? ''))].join('; ');
  return `${are} open${known}, but not for you (${why})`;
}

function row({ app, environment, candidate, startedBy, gate }: OpenApproval, now: number) {
  const by = gate.approved.length === 0 ? '' : ` (${gate.approved.map((name) => clean(name, 30)).join(', ')})`;
  return [
    `${app}/${environment}`,
    gate.stage,
    candidate ?? '–',
    `${gate.approved.length} of ${gate.people}${by}`,
    left(gate.expires, now),
    startedBy ?? '–',
    approveCommand({ app, environment }, gate),
  ].map((text) => ({ text }));
}
