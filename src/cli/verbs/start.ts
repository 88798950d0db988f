import type { Sluice, StartAnswer, TargetName } from '../../client/types.js';
import type { OnNewRelease, Strategy } from '../../model/words.js';
import { STRATEGIES } from '../../model/words.js';
import { type Context, command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { follow } from '../follow.js';
import { usage } from '../given.js';
import { emit, print, say } from '../print.js';
import { readSpec } from '../spec-file.js';
import { BY } from './message.js';

export const start = command({
  name: 'start',
  does: 'Starts a rollout.',
  more: 'The rollout runs on the worker: ending this command never ends it.',
  args: [{ name: '<file>', means: 'rollout.yaml; - for stdin' }],
  options: [
    { flags: '-e, --env <environment>', means: 'Which of the environments in the file.' },
    {
      flags: '--strategy <strategy>',
      means: 'For a file that leaves it open; one that says another is refused.',
      choices: STRATEGIES,
    },
    { flags: '-w, --watch', means: 'Look until it ends.' },
    { flags: '--wait', means: 'Wait silently until it ends; progress on stderr.' },
    { flags: '--timeout <duration>', means: 'With --watch or --wait: at most this long.' },
    {
      flags: '--on-new-release <what>',
      means: 'While another rollout of the target runs: reject this one, replace the other, or queue.',
      choices: ['reject', 'replace', 'queue'],
    },
    { flags: '-m, --message <text>', means: 'Why; shown wherever the rollout is.' },
    BY,
  ],
  examples: [
    'sluice start rollout.yaml --watch',
    'sluice start rollout.yaml --env staging --strategy direct --wait --timeout 20m',
    'sluice start rollout.yaml --on-new-release replace -m "hotfix"',
  ],
  handler: async (given, ctx) => {
    const timeout = given.duration('timeout');
    const [watch, wait] = [given.flag('watch'), given.flag('wait')];
    if (watch && wait) throw usage('--watch and --wait exclude each other');
    if (timeout !== undefined && !watch && !wait) throw usage('--timeout goes with --watch or --wait');
    const type = given.text('strategy') as Strategy | undefined;
    const spec = await readSpec(ctx, given.arg('file'), { environment: given.text('env'), type });
    const target = { app: spec.app, environment: spec.environment };
    const sluice = await ctx.connect();
    const onNewRelease = (given.text('onNewRelease') as OnNewRelease | undefined) ?? spec.onNewRelease;
    const before = onNewRelease === 'reject' ? null : await runningRun(sluice, target);
    const message = given.text('message') ?? spec.message;
    const answer = await sluice.start({
      ...target,
      type: spec.strategy.type,
      input: { ...spec },
      onNewRelease,
      by: given.by(),
      ...(message === undefined ? {} : { message }),
    });
    if (!watch && !wait) return told(ctx, target, answer);
    say(ctx, sentence(target, answer));
    const after = answer.state === 'started' || before === null ? undefined : before;
    return follow(ctx, sluice, target, { until: 'done', timeout, after, as: watch ? 'watch' : 'wait' });
  },
});

/** The run that is or was the last one, so that the next can be told from it. */
async function runningRun(sluice: Sluice, target: TargetName): Promise<string | null> {
  // A rollout that nobody can ask now is found out about by the start itself.
  const seen = await sluice.status(target).catch(() => null);
  return seen?.view?.run ?? null;
}

function told(ctx: Context, target: TargetName, answer: StartAnswer): number {
  if (ctx.json) emit(ctx, answer);
  else print(ctx, [sentence(target, answer), `look: sluice get ${target.app}/${target.environment} --watch`]);
  return EXIT.succeeded.code;
}

export function sentence(target: TargetName, answer: StartAnswer): string {
  const id = `${target.app}/${target.environment}`;
  switch (answer.state) {
    case 'started':
      return `started ${id}, run ${answer.run}`;
    case 'queued':
      return `queued ${id}: it starts when the way is free`;
    case 'replacing':
      return `replacing the running rollout of ${id}: it goes back first, then this one starts`;
    case 'starting':
      return `starting ${id}`;
  }
}
