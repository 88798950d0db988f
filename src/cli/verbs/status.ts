import type { Until } from '../../model/until.js';
import { command } from '../command.js';
import { exitOfView } from '../exit-codes.js';
import { follow } from '../follow.js';
import { emit, print } from '../print.js';
import { renderLine } from '../render/line.js';
import { TARGET } from './message.js';

const UNTIL: readonly Until[] = ['done', 'approval', 'held', 'person', 'paused'];

export const status = command({
  name: 'status',
  does: 'Says in one line where a rollout is, or waits until it is somewhere; the exit code tells a script.',
  more: 'While it waits, each change is a line on stderr; a line every 30 s says that it still waits.',
  args: [TARGET],
  options: [
    {
      flags: '--until <state>',
      means:
        'Wait until it is done, waits for an approval, is held, needs a person (any of these, or stuck), or is paused.',
      choices: UNTIL,
    },
    { flags: '--timeout <duration>', means: 'With --until: at most this long.' },
  ],
  examples: ['sluice status checkout/production', 'sluice status checkout/production --until approval --timeout 30m'],
  handler: async (given, ctx) => {
    const target = given.target();
    const until = given.text('until') as Until | undefined;
    const timeout = given.duration('timeout');
    const sluice = await ctx.connect();
    if (until !== undefined) return follow(ctx, sluice, target, { until, timeout, as: 'wait' });
    const { view } = await sluice.status(target);
    if (ctx.json) emit(ctx, view);
    else if (view !== null) print(ctx, renderLine(view, ctx.now()));
    return view === null ? 0 : exitOfView(view);
  },
});
