/** `sluice get`: show the current or last rollout of a target; --watch follows it. */
import { command } from '../command.js';
import { TARGET } from '../common.js';
import { EXIT } from '../exit-codes.js';
import { follow } from '../follow.js';
import { duration, flag } from '../inputs.js';
import { frameOf, print, printJson } from '../print.js';
import { renderView } from '../render/view.js';

export const get = command({
  name: 'get',
  summary: 'Show the current or last rollout of a target; --watch follows it.',
  description: 'With --watch, the exit code says how the rollout ended.',
  args: { target: TARGET },
  options: {
    watch: flag('Follow the rollout until it ends: redrawn on a terminal, otherwise one line per change.', 'w'),
    timeout: duration('With --watch: stop watching after this long.'),
  },
  examples: ['sluice get checkout/production', 'sluice get checkout/production --watch -o json'],
  handler: async ({ args: { target }, options: { watch, timeout } }, ctx) => {
    const sluice = await ctx.connect();
    if (watch) return follow(ctx, sluice, target, { until: 'done', timeout, as: 'watch' });
    const { view, trouble } = await sluice.status(target);
    if (ctx.json) printJson(ctx, view);
    else if (view !== null) print(ctx, renderView(view, frameOf(ctx), trouble));
    return EXIT.succeeded.code;
  },
});
