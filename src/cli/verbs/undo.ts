import { UNDO_RULE } from '../../model/verbs.js';
import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { heedCheck } from '../first-answer.js';
import { follow } from '../follow.js';
import { emit, print, say } from '../print.js';
import { BY, LOGIN, TARGET } from './message.js';
import { sentence, whomOf } from './start.js';

export const undo = command({
  name: 'undo',
  does: UNDO_RULE,
  more: 'What probes, metrics and alarms find afterwards is a warning. Only `sluice abort` returns to the release that was live before.',
  args: [TARGET],
  options: [
    {
      flags: '--to <release>',
      means: 'Go back to this release of the ledger, also after the window; `sluice releases` lists them.',
    },
    { flags: '--hold', means: 'Start nothing afterwards until `sluice unhold`.' },
    { flags: '--keep-queue', means: 'Let the release that waits in the queue start afterwards.' },
    { flags: '-w, --watch', means: 'Look until it ends.' },
    { flags: '--wait', means: 'Wait silently until it ends; progress on stderr.' },
    { flags: '--timeout <duration>', means: 'With --watch or --wait: at most this long.' },
    { flags: '-m, --message <text>', means: 'Why; shown wherever the rollout is.' },
    BY,
    LOGIN,
  ],
  examples: [
    'sluice undo checkout/production --watch -m "totals are wrong"',
    'sluice undo checkout/production --to 41 --hold',
  ],
  handler: async (given, ctx) => {
    const target = given.target();
    const timeout = given.duration('timeout');
    const message = given.text('message');
    const sluice = await ctx.connect();
    const to = given.text('to');
    const answer = await sluice.undo(target, {
      by: given.by(),
      ...(message === undefined ? {} : { message }),
      ...(to === undefined ? {} : { to }),
      ...(given.flag('hold') ? { hold: true } : {}),
      ...(given.flag('keepQueue') ? { keepQueue: true } : {}),
    });
    const [watch, wait] = [given.flag('watch'), given.flag('wait')];
    if (!watch && !wait) {
      if (ctx.json) emit(ctx, answer);
      else {
        print(ctx, sentence(target, answer));
        await heedCheck(ctx, sluice, target, answer);
      }
      return EXIT.succeeded.code;
    }
    say(ctx, sentence(target, answer));
    return follow(ctx, sluice, target, { until: 'done', timeout, whom: whomOf(answer), as: watch ? 'watch' : 'wait' });
  },
});
