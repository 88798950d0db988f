import type { OpenApproval } from '../../client/types.js';
import { quoted } from '../../model/choices.js';
import { clean } from '../../model/text.js';
import { command } from '../command.js';
import { EXIT, exitOfError } from '../exit-codes.js';
import { emit, frameOf, print, say } from '../print.js';
import { table } from '../render/table.js';
import { left } from '../render/time.js';

export const approvals = command({
  name: 'approvals',
  does: 'Lists the approvals that are open, the one that closes first at the top.',
  more: 'A rollout that cannot be asked is said on stderr, and the exit code is not 0 then.',
  args: [],
  options: [{ flags: '--mine', means: 'Only those where your approval would count, by your key.' }],
  examples: ['sluice approvals --mine'],
  handler: async (given, ctx) => {
    const { open, unasked } = await (await ctx.connect()).approvals();
    const shown = given.flag('mine') ? open.filter(({ mine }) => mine) : open;
    if (ctx.json) emit(ctx, shown);
    if (shown.length === 0) say(ctx, noneOf(open, unasked.length));
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
      say(ctx, `${app}/${environment} could not be asked: ${clean(message, 1_000)} [${code}]`);
    }
    const [first] = unasked;
    return first === undefined ? EXIT.succeeded.code : exitOfError(first.code);
  },
});

/** What is said where none is shown: there is none, none that the caller can give, or none that could be read. */
function noneOf(open: OpenApproval[], unasked: number): string {
  const known = unasked === 0 ? '' : ' as far as could be asked';
  if (open.length === 0) return `no approval is open${known}`;
  const are = open.length === 1 ? '1 approval is' : `${open.length} approvals are`;
  const why = [...new Set(open.map(({ notMine }) => notMine ?? ''))].join('; ');
  return `${are} open${known}, none that you can give (${why})`;
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
    `sluice approve ${app}/${environment} --stage ${quoted(gate.stage)}${gate.comment ? ' -m "why"' : ''}`,
  ].map((text) => ({ text }));
}
