import { usage } from '../given.js';
import { messageCommand } from './message.js';

export const abort = messageCommand('abort', {
  options: [
    { flags: '--force', means: "On somebody else's change of the target: write over it and go back." },
    {
      flags: '--keep',
      means: "On somebody else's change of the target: leave it as it is, write nothing more and end.",
    },
    {
      flags: '--unwatched',
      means: 'With --keep: even where that leaves a split of the candidate that nobody watches.',
    },
  ],
  args: (given) => {
    const [force, keep, unwatched] = [given.flag('force'), given.flag('keep'), given.flag('unwatched')];
    if (force && keep) throw usage('--force and --keep exclude each other');
    if (unwatched && !keep) throw usage('--unwatched goes with --keep');
    return { force, ...(keep ? { keep } : {}), ...(unwatched ? { unwatched } : {}) };
  },
  examples: [
    'sluice abort checkout/production -m "wrong version"',
    'sluice abort checkout/production --force',
    'sluice abort checkout/production --keep',
  ],
});
