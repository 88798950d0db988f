import { messageCommand } from './message.js';

export const promote = messageCommand('promote', {
  options: [{ flags: '--full', means: 'Over all remaining weights, never over an approval.' }],
  args: (given) => ({ full: given.flag('full') }),
  examples: ['sluice promote checkout/production', 'sluice promote checkout/production --full'],
});
