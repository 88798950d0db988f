/** `sluice undo`: roll back to an earlier release after a rollout has succeeded. */
import { UNDO_RULE } from '../../model/verbs.js';
import { command } from '../command.js';
import { BY, FOLLOW, LOGIN, MESSAGE, TARGET } from '../common.js';
import { EXIT } from '../exit-codes.js';
import { follow } from '../follow.js';
import { flag, text } from '../inputs.js';
import { note, print, printJson } from '../print.js';
import { reportRejection } from '../start-check.js';
import { onlyOf, sentence } from './start.js';

export const undo = command({
  name: 'undo',
  summary: 'Roll back to an earlier release after a rollout has succeeded.',
  description: [
    UNDO_RULE,
    'Problems found by probes, metrics or alarms afterwards are only warnings. To return to the release you undid, use `sluice abort` while the undo runs.',
  ].join('\n'),
  args: { target: TARGET },
  options: {
    to: text('release', 'Release to roll back to, even after the rollback window; `sluice releases` lists them.'),
    hold: flag('Then block new rollouts until `sluice unhold`.'),
    keepQueue: flag('Let the queued release start afterwards.'),
    ...FOLLOW,
    message: MESSAGE,
    by: BY,
    login: LOGIN,
  },
  examples: [
    'sluice undo checkout/production --watch -m "totals are wrong"',
    'sluice undo checkout/production --to 41 --hold',
  ],
  handler: async ({ args: { target }, options }, ctx) => {
    const { to, hold, keepQueue, watch, wait, timeout, message, by } = options;
    const sluice = await ctx.connect();
    const answer = await sluice.undo(target, {
      by,
      ...(message === undefined ? {} : { message }),
      ...(to === undefined ? {} : { to }),
      ...(hold ? { hold: true } : {}),
      ...(keepQueue ? { keepQueue: true } : {}),
    });
    if (!watch && !wait) {
      if (ctx.json) printJson(ctx, answer);
      else {
        print(ctx, sentence(target, answer));
        await reportRejection(ctx, sluice, target, answer);
      }
      return EXIT.succeeded.code;
    }
    note(ctx, sentence(target, answer));
    return follow(ctx, sluice, target, { until: 'done', timeout, only: onlyOf(answer), as: watch ? 'watch' : 'wait' });
  },
});
