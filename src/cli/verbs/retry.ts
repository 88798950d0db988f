import { messageCommand } from './message.js';

export const retry = messageCommand('retry', {
  options: [{ flags: '--adopt', means: "Take somebody else's change of the target as ours, and go on from it." }],
  args: (given) => ({ adopt: given.flag('adopt') }),
  examples: ['sluice retry checkout/production', 'sluice retry checkout/production --adopt'],
});
