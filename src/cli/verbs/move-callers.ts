/** `sluice adopt --move-callers`: shows, asks, moves. */
import type { MoveRequest } from '../../client/types.js';
import type { MovePlan, MoveStep } from '../../model/moving.js';
import type { Target } from '../../model/spec.js';
import { targetName } from '../../model/target.js';
import { kitOf } from '../../platforms/registry.js';
import type { Context } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { flag, type Options, type Values } from '../inputs.js';
import { isTerminal, note, print, printJson } from '../print.js';
import { usageError } from '../usage-error.js';

export const MOVE_OPTIONS = {
  moveCallers: flag(
    'Lambda: instead of adopting, move callers of the bare function to the alias (event source mappings and permissions), and print commands for the rest.',
  ),
  publish: flag('With --move-callers: if the alias and $LATEST differ, publish $LATEST and point the alias at it.'),
  undo: flag('With --move-callers: move callers back to the bare function.'),
  yes: flag("With --move-callers: don't ask before making the changes. Needed without a terminal."),
} satisfies Options;

/** Errors: SLUICE_USAGE, and those of `Sluice.callers` and `Sluice.moveCallers`. */
export async function moveCallers(
  { undo, publish, yes }: Values<typeof MOVE_OPTIONS>,
  ctx: Context,
  { target, ...name }: { app: string; environment: string; target: Target },
): Promise<number> {
  if (undo && publish) throw usageError('use either --undo or --publish, not both');
  const { noBareCallers, version } = kitOf(target.platform);
  if (noBareCallers !== null) throw usageError(`--move-callers has nothing to move: ${noBareCallers}`);
  const sluice = await ctx.connect();
  const request: MoveRequest = {
    ...name,
    how: { undo, publish },
    input: { ...name, target, release: { version: version.example } },
  };
  const plan = await sluice.callers(request);
  const todo = plan.steps.filter(({ kind }) => kind === 'do');
  if (!ctx.json) print(ctx, shown(plan, targetName(target)));
  if (todo.length === 0) {
    if (ctx.json) printJson(ctx, { done: [], left: plan.steps });
    return EXIT.succeeded.code;
  }
  if (!yes && !(await agreed(ctx, todo.length))) {
    note(ctx, 'nothing changed');
    return EXIT.error.code;
  }
  const moved = await sluice.moveCallers({ ...request, shown: plan.digest });
  if (ctx.json) printJson(ctx, moved);
  else print(ctx, [...lines('Done', moved.done), ...lines('Not done yet; run this command again', again(moved.left))]);
  return EXIT.succeeded.code;
}

/** Steps that need another run. */
function again(left: MoveStep[]): MoveStep[] {
  return left.filter(({ kind }) => kind !== 'hand');
}

function shown({ steps }: MovePlan, name: string): string[] {
  if (steps.length === 0) return [`${name}: nothing to move`];
  const of = (kind: MoveStep['kind']) => steps.filter((step) => step.kind === kind);
  return [
    ...lines(`${name}: Sluice will do`, of('do')),
    ...lines('You do by hand, since these callers keep their own configuration', of('hand')),
    ...lines('Later, when you run this command again', of('later')),
  ];
}

function lines(head: string, steps: MoveStep[]): string[] {
  return steps.length === 0 ? [] : [`${head}:`, ...steps.map(({ text }) => `  - ${text}`)];
}

/** Asks the user. Errors: SLUICE_USAGE without a terminal. */
async function agreed(ctx: Context, count: number): Promise<boolean> {
  if (ctx.json || !isTerminal(ctx.stdout) || !isTerminal(ctx.stderr)) {
    throw usageError('nothing changed: there is no terminal to ask on; add --yes to make the changes shown');
  }
  ctx.stderr.write(`Do ${count === 1 ? 'this' : `these ${count} steps`} now? Type yes: `);
  let text = '';
  for await (const chunk of ctx.stdin()) {
    text += Buffer.from(chunk).toString('utf8');
    if (text.includes('\n') || text.length > 100) break;
  }
  return text.trim().toLowerCase() === 'yes';
}
