import type { ListEntry } from '../../client/types.js';
import type { Outcome, Phase } from '../../model/words.js';
import { OUTCOMES, PHASES } from '../../model/words.js';
import { command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { emit, frameOf, print, say } from '../print.js';
import { type Cell, table } from '../render/table.js';
import { ago } from '../render/time.js';
import { stateStyle, stateWord } from '../render/words.js';

export const list = command({
  name: 'list',
  does: 'Lists the running rollouts, newest first.',
  args: [],
  options: [
    {
      flags: '--phase <phase>',
      means: 'Only those in this phase, or closed with this outcome.',
      choices: [...PHASES, ...OUTCOMES],
    },
    { flags: '--app <pattern>', means: 'Only of these apps; * stands for anything.' },
    { flags: '--older-than <duration>', means: 'Only those started longer ago.' },
    { flags: '-a, --all', means: 'Closed ones too.' },
  ],
  examples: ['sluice list', "sluice list --phase awaitingApproval --app 'shop-*' --older-than 1h"],
  handler: async (given, ctx) => {
    const phase = given.text('phase') as Phase | Outcome | undefined;
    const app = given.text('app');
    const olderThan = given.duration('olderThan');
    const found = await (await ctx.connect()).list({
      all: given.flag('all'),
      ...(phase === undefined ? {} : { phase }),
      ...(app === undefined ? {} : { app }),
      ...(olderThan === undefined ? {} : { olderThan }),
    });
    if (ctx.json) emit(ctx, found);
    else if (found.length === 0) say(ctx, 'no rollout matches');
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
