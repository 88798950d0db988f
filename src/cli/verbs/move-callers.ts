/** `sluice adopt --move-callers`: shows, asks, moves. */
import type { MoveRequest } from '../../client/types.js';
import type { MovePlan, MoveStep } from '../../model/moving.js';
import type { Target } from '../../model/spec.js';
import { targetName } from '../../model/target.js';
import type { Context } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { type Given, usage } from '../given.js';
import { emit, isTerminal, print, say } from '../print.js';

export const MOVE_OPTIONS = [
  {
    flags: '--move-callers',
    means:
      'Lambda: instead, move the callers of the bare function to the alias: event source mappings and permissions; for the rest it prints commands. Writes no file.',
  },
  {
    flags: '--publish',
    means: 'With --move-callers: where alias and $LATEST differ, publish $LATEST and point the alias at it.',
  },
  { flags: '--undo', means: 'With --move-callers: back to the bare function.' },
  { flags: '--yes', means: 'With --move-callers: do what is shown without asking. Needed where there is no terminal.' },
];

/** Errors: SLUICE_USAGE, and those of `Sluice.callers` and `Sluice.moveCallers`. */
export async function moveCallers(
  given: Given,
  ctx: Context,
  { target, ...name }: { app: string; environment: string; target: Target },
): Promise<number> {
  const how = { undo: given.flag('undo'), publish: given.flag('publish') };
  if (how.undo && how.publish) throw usage('--undo publishes nothing; leave --publish out');
  if (target.platform !== 'lambda') throw usage('--move-callers is for Lambda; on App Service nobody passes the slot');
  const sluice = await ctx.connect();
  const request: MoveRequest = { ...name, how, input: { ...name, target, release: { version: 1 } } };
  const plan = await sluice.callers(request);
  const todo = plan.steps.filter(({ kind }) => kind === 'do');
  if (!ctx.json) print(ctx, shown(plan, targetName(target)));
  if (todo.length === 0) {
    if (ctx.json) emit(ctx, { done: [], left: plan.steps });
    return EXIT.succeeded.code;
  }
  if (!given.flag('yes') && !(await agreed(ctx, todo.length))) {
    say(ctx, 'nothing was changed');
    return EXIT.error.code;
  }
  const moved = await sluice.moveCallers({ ...request, shown: plan.digest });
  if (ctx.json) emit(ctx, moved);
  else print(ctx, [...lines('Done', moved.done), ...lines('Still to be done: run this again', again(moved.left))]);
  return EXIT.succeeded.code;
}

/** What only a later run does. */
function again(left: MoveStep[]): MoveStep[] {
  return left.filter(({ kind }) => kind !== 'hand');
}

function shown({ steps }: MovePlan, name: string): string[] {
  if (steps.length === 0) return [`${name}: there is nothing to move`];
  const of = (kind: MoveStep['kind']) => steps.filter((step) => step.kind === kind);
  return [
    ...lines(`${name}: this is done`, of('do')),
    ...lines('By hand, since these callers keep their own configuration', of('hand')),
    ...lines('Later, with this command again', of('later')),
  ];
}

function lines(head: string, steps: MoveStep[]): string[] {
  return steps.length === 0 ? [] : [`${head}:`, ...steps.map(({ text }) => `  - ${text}`)];
}

/** Asks a person. Errors: SLUICE_USAGE where there is none. */
async function agreed(ctx: Context, count: number): Promise<boolean> {
  if (ctx.json || !isTerminal(ctx.stdout) || !isTerminal(ctx.stderr)) {
    throw usage('nothing was changed: without a terminal nobody can be asked; give --yes to do what is shown');
  }
  ctx.stderr.write(`Do ${count === 1 ? 'this' : `these ${count} steps`} now? Type yes: `);
  let text = '';
  for await (const chunk of ctx.stdin()) {
    text += Buffer.from(chunk).toString('utf8');
    if (text.includes('\n') || text.length > 100) break;
  }
  return text.trim().toLowerCase() === 'yes';
}
