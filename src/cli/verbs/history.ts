/** `sluice history`: list past rollouts of a target, with outcome and reason. */
import { shortRun } from '../../model/ids.js';
import { stateWord } from '../../model/rollout/words.js';
import { duration } from '../../model/text.js';
import { command } from '../command.js';
import { TARGET } from '../common.js';
import { EXIT } from '../exit-codes.js';
import { frameOf, note, print, printJson } from '../print.js';
import { table } from '../render/table.js';
import { moment } from '../render/time.js';
import { stateStyle } from '../render/words.js';

export const history = command({
  name: 'history',
  summary: 'List past rollouts of a target, with outcome and reason.',
  description:
    'Newest first. Goes back as far as your Temporal namespace keeps closed workflows; `sluice releases` goes back further.',
  args: { target: TARGET },
  options: {},
  examples: ['sluice history checkout/production'],
  handler: async ({ args: { target } }, ctx) => {
    const found = await (await ctx.connect()).history(target);
    if (ctx.json) printJson(ctx, found);
    else if (found.length === 0) note(ctx, `no past rollouts of ${target.app}/${target.environment} found`);
    else {
      const head = ['STARTED', 'STRATEGY', 'OUTCOME', 'RELEASE', 'TOOK', 'BY', 'RUN', 'REASON'];
      const rows = found.map((entry) => {
        const state = { phase: 'done' as const, outcome: entry.outcome };
        return [
          { text: moment(entry.startedAt) },
          { text: entry.strategy },
          entry.outcome === null
            ? { text: entry.closed.toLowerCase() }
            : { text: stateWord(state), style: stateStyle(state) },
          { text: entry.release ?? '–' },
          { text: entry.endedAt === null ? '–' : duration(entry.endedAt - entry.startedAt) },
          { text: entry.by ?? '–' },
          // As much as `report --run` needs.
          { text: shortRun(entry.run) },
          { text: entry.reason ?? '' },
        ];
      });
      print(ctx, table(head, rows, frameOf(ctx)));
    }
    return EXIT.succeeded.code;
  },
});
