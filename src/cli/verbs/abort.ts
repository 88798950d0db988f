/** `sluice abort`: roll back a running rollout: all traffic to the stable release. */
import { command } from '../command.js';
import { DECISION, decisionOf, TARGET } from '../common.js';
import { flag } from '../inputs.js';
import { usageError } from '../usage-error.js';
import { describeMessage, send } from './message.js';

export const abort = command({
  name: 'abort',
  summary: 'Roll back a running rollout: all traffic to the stable release.',
  description: describeMessage('abort'),
  args: { target: TARGET },
  options: {
    force: flag('If someone else changed the target: overwrite their change and roll back.'),
    keep: flag('If someone else changed the target: leave it as it is and end the rollout.'),
    unwatched: flag('With --keep: even if the candidate keeps traffic that nothing watches.'),
    ...DECISION,
  },
  examples: [
    'sluice abort checkout/production -m "wrong version"',
    'sluice abort checkout/production --force',
    'sluice abort checkout/production --keep',
  ],
  handler: async ({ args, options }, ctx) => {
    const { force, keep, unwatched } = options;
    if (force && keep) throw usageError('use either --force or --keep, not both');
    if (unwatched && !keep) throw usageError('--unwatched needs --keep');
    return send(ctx, args.target, 'abort', {
      ...decisionOf(options),
      force,
      ...(keep ? { keep } : {}),
      ...(unwatched ? { unwatched } : {}),
    });
  },
});
