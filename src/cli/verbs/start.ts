/** `sluice start`: start the rollout that a rollout.yaml describes. */
import type { AppEnvironment, Sluice, StartAnswer } from '../../client/types.js';
import { mayKeep } from '../../model/rollout/gate.js';
import type { RolloutView } from '../../model/view.js';
import { type Context, command } from '../command.js';
import { BY, FOLLOW, LOGIN, MESSAGE, SPEC_FILE } from '../common.js';
import { EXIT } from '../exit-codes.js';
import { follow } from '../follow.js';
import { choice } from '../inputs.js';
import { note, print, printJson } from '../print.js';
import { readChosen, SPEC_OPTIONS } from '../spec-file.js';
import { reportRejection } from '../start-check.js';
import { usageError } from '../usage-error.js';

export const start = command({
  name: 'start',
  summary: 'Start the rollout that a rollout.yaml describes.',
  description: [
    'The rollout runs on the worker: Ctrl-C ends this command, never the rollout.',
    'With --watch or --wait this command stays until the rollout ends; with -o json it answers at once. Otherwise it waits up to 2 s in case the start is refused.',
  ].join('\n'),
  args: { file: SPEC_FILE },
  options: {
    ...SPEC_OPTIONS,
    ...FOLLOW,
    until: choice(
      'state',
      ['done', 'approval', 'held', 'person'],
      'With --watch or --wait: also stop waiting, with exit code 17, when it waits for an approval, is held, or needs a person (approval, held or stuck).',
    ),
    onNewRelease: choice(
      'action',
      ['reject', 'replace', 'queue'],
      'If another rollout of the target is running: reject this one, replace the other, or queue.',
    ),
    message: MESSAGE,
    by: BY,
    login: LOGIN,
  },
  examples: [
    'sluice start rollout.yaml --watch',
    'sluice start rollout.yaml --env staging --strategy direct --wait --timeout 20m',
    'sluice start rollout.yaml --wait --until person',
    'sluice start rollout.yaml --on-new-release replace -m "hotfix"',
  ],
  handler: async ({ args, options }, ctx) => {
    const { watch, wait, timeout, until } = options;
    if (watch && wait) throw usageError('use either --watch or --wait, not both');
    if (timeout !== undefined && !watch && !wait) throw usageError('--timeout needs --watch or --wait');
    if (until !== undefined && !watch && !wait) throw usageError('--until needs --watch or --wait');
    const spec = await readChosen(ctx, args.file, options);
    const target = { app: spec.app, environment: spec.environment };
    const sluice = await ctx.connect();
    const message = options.message ?? spec.message;
    const answer = await sluice.start({
      ...target,
      type: spec.strategy.type,
      input: { ...spec },
      onNewRelease: options.onNewRelease ?? spec.onNewRelease,
      by: options.by,
      ...(message === undefined ? {} : { message }),
    });
    const said = sentence(target, answer, await aheadOf(sluice, target, answer));
    if (!watch && !wait) {
      printAnswer(ctx, target, answer, said);
      if (!ctx.json) await reportRejection(ctx, sluice, target, answer);
      return EXIT.succeeded.code;
    }
    note(ctx, said);
    const as = watch ? 'watch' : 'wait';
    return follow(ctx, sluice, target, { until: until ?? 'done', stopEarly: true, timeout, only: onlyOf(answer), as });
  },
});

/** How to follow exactly the rollout that was started. */
export function onlyOf(answer: StartAnswer) {
  return answer.state === 'started' ? { run: answer.run } : { ticket: answer.ticket };
}

function printAnswer(ctx: Context, target: AppEnvironment, answer: StartAnswer, said: string): void {
  if (ctx.json) printJson(ctx, answer);
  else print(ctx, [said, `follow it: sluice get ${target.app}/${target.environment} --watch`]);
}

/** The rollout that this one waits for; null for one that waits for none, or if it cannot be seen. */
async function aheadOf(sluice: Sluice, target: AppEnvironment, { state }: StartAnswer): Promise<RolloutView | null> {
  if (state === 'started') return null;
  return sluice.status(target).then(
    ({ view }) => view,
    () => null,
  );
}

/** `ahead`: the rollout that runs before this one. */
export function sentence(target: AppEnvironment, answer: StartAnswer, ahead: RolloutView | null = null): string {
  const id = `${target.app}/${target.environment}`;
  const { tookPlaceOf } = answer;
  const instead =
    tookPlaceOf === null ? '' : `; the queued ${tookPlaceOf.strategy} by ${tookPlaceOf.by ?? 'someone'} will not run`;
  // It neither rolls back nor ends by itself, whoever is waiting.
  const blocked = ahead !== null && mayKeep({ ...ahead, kept: ahead.kept !== null });
  const stuck = `which is stuck: someone else changed the target. This one starts once a person ends that with \`sluice abort ${id} --keep\` (leaves the change) or \`--force\` (overwrites it)`;
  switch (answer.state) {
    case 'started':
      return `started ${id}, run ${answer.run}${instead}`;
    case 'queued':
      return blocked
        ? `queued ${id} behind the running rollout, ${stuck}${instead}`
        : `queued ${id}: it starts when the running rollout ends${instead}`;
    case 'replacing':
      return blocked
        ? `this one replaces the running rollout of ${id}, ${stuck}${instead}`
        : `replacing the running rollout of ${id}: it rolls back first, then this one starts${instead}`;
  }
}
