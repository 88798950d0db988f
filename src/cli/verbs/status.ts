/** `sluice status`: print the state in one line, or wait for one; for scripts. */
import { command } from '../command.js';
import { TARGET } from '../common.js';
import { exitOfView } from '../exit-codes.js';
import { follow } from '../follow.js';
import { choice, duration } from '../inputs.js';
import { print, printJson } from '../print.js';
import { renderLine } from '../render/line.js';

export const status = command({
  name: 'status',
  summary: 'Print the state in one line, or wait for one; for scripts.',
  description:
    'The exit code tells the state. While waiting, every change is printed to stderr, and a heartbeat every 30 s.',
  args: { target: TARGET },
  options: {
    until: choice(
      'state',
      ['done', 'approval', 'held', 'person', 'paused'],
      'Wait until the rollout is done, waits for an approval, is held, is paused, or needs a person (approval, held or stuck).',
    ),
    timeout: duration('With --until: stop waiting after this long.'),
  },
  examples: ['sluice status checkout/production', 'sluice status checkout/production --until approval --timeout 30m'],
  handler: async ({ args: { target }, options: { until, timeout } }, ctx) => {
    const sluice = await ctx.connect();
    if (until !== undefined) return follow(ctx, sluice, target, { until, timeout, as: 'wait' });
    const { view } = await sluice.status(target);
    if (ctx.json) printJson(ctx, view);
    else if (view !== null) print(ctx, renderLine(view, ctx.now()));
    return view === null ? 0 : exitOfView(view);
  },
});
