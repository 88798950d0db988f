/** Moves the callers of a function's bare name to its alias, and back. Every step may be done again after a lost answer. */
import { digestOf } from '../../../../access/index.js';
import { SluiceError } from '../../../../model/errors.js';
import { rolloutId } from '../../../../model/ids.js';
import type { Moved, MovePlan, MoveStep, Moving } from '../../../../model/moving.js';
import type { Spec } from '../../../../model/spec.js';
import { heedMark } from '../alias.js';
import { isBare, listUrls } from '../callers/index.js';
import type { Session } from '../client.js';
import { address, urlCommands } from '../commands.js';
import { stackOf, tagsOf } from '../stack.js';
import type { Way } from './by-hand.js';
import { type Run, sameAsLatest } from './latest.js';
import { toAlias, toBare } from './mappings.js';
import { forAlias, forBare } from './statements.js';
import type { Planned } from './step.js';

/** What a run would do. Writes nothing. Errors: those of `sameAsLatest`. */
export async function planMove(session: Session, args: { spec: Spec; how: Moving }): Promise<MovePlan> {
  const steps = shown(await look(session, { ...args, run: null }));
  return { steps, digest: digestOf({ how: args.how, steps }) };
}

/** Does those steps of a plan that are still to be done, in their order. */
export async function move(
  session: Session,
  { spec, how, steps, mark }: { spec: Spec; how: Moving; steps: MoveStep[]; mark: string },
): Promise<Moved> {
  const args = { spec, how, run: { mark, steps } };
  await heedMark(session);
  const wanted = steps.filter(({ kind }) => kind === 'do');
  const isWanted = ({ id }: MoveStep) => wanted.some((step) => step.id === id);
  const now = await look(session, args);
  // Without it the others would change what callers run.
  if (now.some((step) => step.id.startsWith('publish/') && !isWanted(step))) {
    throw new SluiceError(
      'SLUICE_TARGET',
      `${address(session)} or $LATEST was changed since it was shown. Nothing more was moved; run it again`,
    );
  }
  for (const step of now) if (isWanted(step)) await step.run?.();
  const left = shown(await look(session, args));
  const ran = now.filter(isWanted);
  // One that is not to be done any more was done by an attempt before this one, unless its caller needs something that was not shown.
  const changed = left.filter(({ id, kind }) => kind !== 'later' && !steps.some((step) => step.id === id));
  const isDone = ({ id }: MoveStep) =>
    ran.some((step) => step.id === id) || !changed.some((step) => callerOf(step.id) === callerOf(id));
  const isLeft = ({ id, kind }: MoveStep) => left.some((step) => step.id === id && step.kind === kind);
  return { done: wanted.filter((step) => isDone(step) && !isLeft(step)), left };
}

/** The caller that a step moves. */
function callerOf(id: string): string | undefined {
  return id.split('/')[1];
}

async function look(
  session: Session,
  { spec, how, run }: { spec: Spec; how: Moving; run: Run | null },
): Promise<Planned[]> {
  const { alias } = session.target;
  const { arn, steps } = await sameAsLatest(session, { spec, how, run });
  const way: Way = { from: arn, to: `${arn}:${alias}` };
  const owner = rolloutId(spec.app, spec.environment);
  if (how.undo) return [...(await forBare(session, way)), ...(await toBare(session, owner, way))];
  const stack = stackOf(await tagsOf(session, arn));
  return [
    ...steps,
    ...(await forAlias(session, way, stack?.name ?? null)),
    ...(await toAlias(session, owner, way)),
    ...(await urls(session)),
  ];
}

async function urls(session: Session): Promise<Planned[]> {
  return (await listUrls(session))
    .filter(({ FunctionArn }) => isBare(FunctionArn))
    .map(({ FunctionUrl = '', AuthType = 'AWS_IAM' }) => ({
      id: 'url',
      kind: 'hand' as const,
      text: `the function URL ${FunctionUrl} stays. ${urlCommands(session, AuthType)}`,
      run: null,
    }));
}

function shown(steps: Planned[]): MoveStep[] {
  return steps.map(({ id, kind, text }) => ({ id, kind, text }));
}
