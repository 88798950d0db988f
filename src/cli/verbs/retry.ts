/** `sluice retry`: retry a rollout that is stuck or held. */
import { command } from '../command.js';
import { DECISION, decisionOf, TARGET } from '../common.js';
import { flag } from '../inputs.js';
import { describeMessage, send } from './message.js';

export const retry = command({
  name: 'retry',
  summary: 'Retry a rollout that is stuck or held.',
  description: describeMessage('retry'),
  args: { target: TARGET },
  options: {
    adopt: flag("If someone else changed the target: accept their change as the rollout's own."),
    ...DECISION,
  },
  examples: ['sluice retry checkout/production', 'sluice retry checkout/production --adopt'],
  handler: ({ args, options }, ctx) =>
    send(ctx, args.target, 'retry', { ...decisionOf(options), adopt: options.adopt }),
});
