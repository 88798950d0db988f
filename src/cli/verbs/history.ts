import { shortRun } from '../../model/ids.js';
import { duration } from '../../model/text.js';
import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { emit, frameOf, print, say } from '../print.js';
import { table } from '../render/table.js';
import { moment } from '../render/time.js';
import { stateStyle, stateWord } from '../render/words.js';
import { TARGET } from './message.js';

export const history = command({
  name: 'history',
  does: 'Lists the past rollouts of a target with their outcomes and reasons, newest first.',
  more: 'As long as the Temporal namespace keeps closed workflows; `sluice releases` remembers longer.',
  args: [TARGET],
  options: [],
  examples: ['sluice history checkout/production'],
  handler: async (given, ctx) => {
    const target = given.target();
    const found = await (await ctx.connect()).history(target);
    if (ctx.json) emit(ctx, found);
    else if (found.length === 0) say(ctx, `no past rollout of ${target.app}/${target.environment} is known`);
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
