import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { follow } from '../follow.js';
import { emit, frameOf, print } from '../print.js';
import { renderView } from '../render/view.js';
import { TARGET } from './message.js';

export const get = command({
  name: 'get',
  does: 'Shows the running rollout of a target, or the last one.',
  more: 'With --watch it ends with the rollout, and its exit code says how the rollout ended.',
  args: [TARGET],
  options: [
    { flags: '-w, --watch', means: 'Until the rollout ends: redrawn in place on a terminal, else a line a change.' },
    { flags: '--timeout <duration>', means: 'With --watch: at most this long.' },
  ],
  examples: ['sluice get checkout/production', 'sluice get checkout/production --watch -o json'],
  handler: async (given, ctx) => {
    const target = given.target();
    const timeout = given.duration('timeout');
    const sluice = await ctx.connect();
    if (given.flag('watch')) return follow(ctx, sluice, target, { until: 'done', timeout, as: 'watch' });
    const { view, trouble } = await sluice.status(target);
    if (ctx.json) emit(ctx, view);
    else if (view !== null) print(ctx, renderView(view, frameOf(ctx), trouble));
    return EXIT.succeeded.code;
  },
});
