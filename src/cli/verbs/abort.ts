import { messageCommand } from './message.js';

export const abort = messageCommand('abort', {
  options: [{ flags: '--force', means: "Also over somebody else's change of the target." }],
  args: (given) => ({ force: given.flag('force') }),
  examples: ['sluice abort checkout/production -m "wrong version"', 'sluice abort checkout/production --force'],
});
