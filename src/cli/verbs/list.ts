/** `sluice list`: list running rollouts; --all includes closed ones. */
import type { ListEntry } from '../../client/types.js';
import { stateWord } from '../../model/rollout/words.js';
import { OUTCOMES, PHASES } from '../../model/words.js';
import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { choice, duration, flag, text } from '../inputs.js';
import { frameOf, note, print, printJson } from '../print.js';
import { type Cell, table } from '../render/table.js';
import { ago } from '../render/time.js';
import { stateStyle } from '../render/words.js';

export const list = command({
  name: 'list',
  summary: 'List running rollouts; --all includes closed ones.',
  args: {},
  options: {
    phase: choice('phase', [...PHASES, ...OUTCOMES], 'Only those in this phase, or with this outcome.'),
    app: text('pattern', 'Only apps that match; * matches anything.'),
    olderThan: duration('Only those started longer ago than this.'),
    all: flag('Include closed rollouts.', 'a'),
  },
  examples: ['sluice list', "sluice list --phase awaitingApproval --app 'shop-*' --older-than 1h"],
  handler: async ({ options: { phase, app, olderThan, all } }, ctx) => {
    const found = await (await ctx.connect()).list({
      all,
      ...(phase === undefined ? {} : { phase }),
      ...(app === undefined ? {} : { app }),
      ...(olderThan === undefined ? {} : { olderThan }),
    });
    if (ctx.json) printJson(ctx, found);
    else if (found.length === 0) note(ctx, 'no rollouts found');
    else {
      const head = ['ROLLOUT', 'STRATEGY', 'STATE', 'WEIGHT', 'STARTED'];
      print(
        ctx,
        table(
          head,
          found.map((entry) => row(entry, ctx.now())),
          frameOf(ctx),
        ),
      );
    }
    return EXIT.succeeded.code;
  },
});

function row(entry: ListEntry, now: number): Cell[] {
  const { phase, outcome } = entry;
  return [
    { text: `${entry.app}/${entry.environment}` },
    { text: entry.strategy },
    phase === null
      ? { text: 'running' }
      : { text: stateWord({ phase, outcome }), style: stateStyle({ phase, outcome }) },
    { text: entry.weight === null ? '–' : `${entry.weight} %` },
    { text: `${ago(entry.startedAt, now)} ago` },
  ];
}
