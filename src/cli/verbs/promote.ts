/** `sluice promote`: continue with the next stage now, or with --full go to 100 %. */
import { command } from '../command.js';
import { DECISION, decisionOf, TARGET } from '../common.js';
import { flag } from '../inputs.js';
import { describeMessage, send } from './message.js';

export const promote = command({
  name: 'promote',
  summary: 'Continue with the next stage now, or with --full go to 100 %.',
  description: describeMessage('promote'),
  args: { target: TARGET },
  options: { full: flag('Skip all remaining stages, but never an approval.'), ...DECISION },
  examples: ['sluice promote checkout/production', 'sluice promote checkout/production --full'],
  handler: ({ args, options }, ctx) =>
    send(ctx, args.target, 'promote', { ...decisionOf(options), full: options.full }),
});
