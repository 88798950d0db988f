import type { StartAnswer, TargetName } from '../../client/types.js';
import type { Until } from '../../model/until.js';
import type { OnNewRelease } from '../../model/words.js';
import { type Context, command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { heedCheck } from '../first-answer.js';
import { follow } from '../follow.js';
import { usage } from '../given.js';
import { emit, print, say } from '../print.js';
import { readGiven, SPEC_OPTIONS } from '../spec-file.js';
import { BY, LOGIN } from './message.js';

/** Where a job may leave a rollout that it has started. */
const UNTIL: readonly Until[] = ['done', 'approval', 'held', 'person'];

export const start = command({
  name: 'start',
  does: 'Starts a rollout.',
  more: [
    'The rollout runs on the worker: ending this command never ends it.',
    'Without --watch, --wait or -o json it looks for 2 s at most whether the start was refused.',
  ].join('\n'),
  args: [{ name: '<file>', means: 'rollout.yaml; - for stdin' }],
  options: [
    ...SPEC_OPTIONS,
    { flags: '-w, --watch', means: 'Look until it ends.' },
    { flags: '--wait', means: 'Wait silently until it ends; progress, and what waits for a person, on stderr.' },
    {
      flags: '--until <state>',
      means:
        'With --watch or --wait: leave also when it waits for an approval, is held, or needs a person (any of these, or stuck); exit code 17.',
      choices: UNTIL,
    },
    { flags: '--timeout <duration>', means: 'With --watch or --wait: at most this long.' },
    {
      flags: '--on-new-release <what>',
      means: 'While another rollout of the target runs: reject this one, replace the other, or queue.',
      choices: ['reject', 'replace', 'queue'],
    },
    { flags: '-m, --message <text>', means: 'Why; shown wherever the rollout is.' },
    BY,
    LOGIN,
  ],
  examples: [
    'sluice start rollout.yaml --watch',
    'sluice start rollout.yaml --env staging --strategy direct --wait --timeout 20m',
    'sluice start rollout.yaml --wait --until person',
    'sluice start rollout.yaml --on-new-release replace -m "hotfix"',
  ],
  handler: async (given, ctx) => {
    const timeout = given.duration('timeout');
    const [watch, wait] = [given.flag('watch'), given.flag('wait')];
    if (watch && wait) throw usage('--watch and --wait exclude each other');
    if (timeout !== undefined && !watch && !wait) throw usage('--timeout goes with --watch or --wait');
    const until = given.text('until') as Until | undefined;
    if (until !== undefined && !watch && !wait) throw usage('--until goes with --watch or --wait');
    const spec = await readGiven(given, ctx);
    const target = { app: spec.app, environment: spec.environment };
    const sluice = await ctx.connect();
    const onNewRelease = (given.text('onNewRelease') as OnNewRelease | undefined) ?? spec.onNewRelease;
    const message = given.text('message') ?? spec.message;
    const answer = await sluice.start({
      ...target,
      type: spec.strategy.type,
      input: { ...spec },
      onNewRelease,
      by: given.by(),
      ...(message === undefined ? {} : { message }),
    });
    if (!watch && !wait) {
      told(ctx, target, answer);
      if (!ctx.json) await heedCheck(ctx, sluice, target, answer);
      return EXIT.succeeded.code;
    }
    say(ctx, sentence(target, answer));
    const as = watch ? 'watch' : 'wait';
    return follow(ctx, sluice, target, { until: until ?? 'done', leaves: true, timeout, whom: whomOf(answer), as });
  },
});

/** By what the release of an answer is followed. */
export function whomOf(answer: StartAnswer) {
  return answer.state === 'started' ? { run: answer.run } : { ticket: answer.ticket };
}

function told(ctx: Context, target: TargetName, answer: StartAnswer): void {
  if (ctx.json) emit(ctx, answer);
  else print(ctx, [sentence(target, answer), `look: sluice get ${target.app}/${target.environment} --watch`]);
}

export function sentence(target: TargetName, answer: StartAnswer): string {
  const id = `${target.app}/${target.environment}`;
  const { tookPlaceOf } = answer;
  const instead =
    tookPlaceOf === null
      ? ''
      : `; the ${tookPlaceOf.strategy} by ${tookPlaceOf.by ?? 'somebody'} that waited will not run`;
  switch (answer.state) {
    case 'started':
      return `started ${id}, run ${answer.run}${instead}`;
    case 'queued':
      return `queued ${id}: it starts when the way is free${instead}`;
    case 'replacing':
      return `replacing the running rollout of ${id}: it goes back first, then this one starts${instead}`;
  }
}
