/** Starting: directly, where the workflow id is the lock, or through the target's companion. */
import { WithStartWorkflowOperation, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type * as workflows from '../../workflows/index.js';
import { companionQuery, type SubmitAnswer, submitUpdate, unholdUpdate } from '../../workflows/messages.js';
import { SluiceError } from '../model/errors.js';
import { HOLD_MEMO, type Hold, heldMessage, holdIn } from '../model/hold.js';
import { companionId, rolloutId, TASK_QUEUE } from '../model/ids.js';
import { goesBackTo } from '../model/ledger.js';
import { staticTexts } from '../model/rollout/begin.js';
import { clean } from '../model/text.js';
import type { CompanionView } from '../model/view.js';
import type { RolloutType } from '../model/words.js';
import { type Described, described } from '../temporal/described.js';
import { mustAgree } from './agreement.js';
import type { Link } from './connect.js';
import { failing, isFailing, isLate, isUnserved, noAnswer, toSluiceError } from './errors.js';
import { describe, look, runningRun } from './look.js';
import { packed } from './packing.js';
import { Sight } from './sight.js';
import { startToken } from './tokens.js';
import type { AppEnvironment, StartAnswer, StartRequest, UndoArgs } from './types.js';

/** Every type of rollout is a workflow type: one that the workers would not have does not compile. */
type Rollouts = Pick<typeof workflows, RolloutType>;

/** Longest wait for the companion's answer, in ms. */
const ANSWER_WITHIN = 10_000;

/** See `Sluice.start`. Workers refuse a start at a held target; reading the companion reports it at once. */
export async function start(link: Link, request: StartRequest): Promise<StartAnswer> {
  await mustAgree(link);
  const held = await heldWords(link, request);
  if (held !== null) throw new SluiceError('SLUICE_HELD', held);
  return request.onNewRelease === 'reject' ? directly(link, request) : byCompanion(link, request, request.onNewRelease);
}

/** Why a rollout of this type may not start at its target for a hold; null if it may. An undo may, which is how one goes on from there. */
export async function heldWords(
  link: Link,
  target: AppEnvironment & Pick<StartRequest, 'type'>,
): Promise<string | null> {
  if (target.type === 'undo') return null;
  const hold = await holdOf(link, target);
  return hold === null ? null : heldMessage(rolloutId(target.app, target.environment), hold);
}

/** The spec with its code packed, who started it and why, and the proof of it where there is a key. */
async function inputOf(link: Link, request: StartRequest) {
  const { app, environment, type: strategy, release = null, onNewRelease } = request;
  const { hold, keepQueue } = request.input;
  const input = {
    ...(await packed(link.artifacts, request)),
    ...(request.by === undefined ? {} : { startedBy: request.by }),
    ...(request.message === undefined ? {} : { message: request.message }),
  };
  const act = strategy === 'undo' ? 'undo' : 'start';
  const waits = onNewRelease !== 'reject';
  const replaces = onNewRelease === 'replace';
  const asked = act === 'undo' ? { hold: hold === true, keepQueue: keepQueue === true } : {};
  const token = await startToken(link, { act, app, environment, strategy, release, replaces, input, ...asked }, waits);
  return token === null ? input : { ...input, token };
}

async function directly(link: Link, request: StartRequest): Promise<StartAnswer> {
  const workflowId = rolloutId(request.app, request.environment);
  const input = await inputOf(link, request);
  try {
    const handle = await link.temporal.workflow.start<Rollouts[RolloutType]>(request.type, {
      workflowId,
      taskQueue: TASK_QUEUE,
      args: [input],
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      ...staticTexts({ ...request, input, namespace: link.namespace }),
    });
    return { state: 'started', workflowId, run: handle.firstExecutionRunId, tookPlaceOf: null };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) throw await alreadyRunning(link, request);
    throw toSluiceError(error, link.address);
  }
}

/** What runs, by whom and since when: `a canary of checkout/production by ann is running, since …, now baking`. */
export async function whatRuns(link: Link, target: AppEnvironment): Promise<string> {
  const id = rolloutId(target.app, target.environment);
  const running = await describe(link, target).catch(() => null);
  const view = running === null ? null : ((await look(link, target).catch(() => null))?.view ?? null);
  const what = view?.strategy ?? running?.type ?? 'rollout';
  const who = view?.startedBy == null ? '' : ` by ${clean(view.startedBy, 60)}`;
  const since = running === null ? '' : `, since ${running.startedAt.toISOString()}`;
  const phase = view === null ? '' : `, now ${view.phase}`;
  return `${what === 'undo' ? 'an' : 'a'} ${what} of ${id}${who} is running${since}${phase}`;
}

/** What blocks the start, since when, and what to do. */
export async function alreadyRunning(
  link: Link,
  request: AppEnvironment & Pick<StartRequest, 'type'>,
): Promise<SluiceError> {
  const id = rolloutId(request.app, request.environment);
  const foreign = await new Sight(link, request).stranger();
  if (foreign !== null) {
    return new SluiceError(
      'SLUICE_ALREADY_RUNNING',
      `${foreign}, and that id locks the target. Whoever started it can end it: \`temporal workflow terminate --workflow-id ${id}\``,
    );
  }
  const advice =
    request.type === 'undo'
      ? `Undo works on rollouts that have succeeded. \`sluice abort ${id}\` rolls back the running one, and \`sluice status ${id} --until done\` waits for its end`
      : `Wait (\`sluice status ${id} --until done\`), roll it back (\`sluice abort ${id}\`), or start with --on-new-release queue or replace`;
  return new SluiceError('SLUICE_ALREADY_RUNNING', `${await whatRuns(link, request)}. ${advice}`);
}

async function byCompanion(link: Link, request: StartRequest, mode: 'queue' | 'replace'): Promise<StartAnswer> {
  const { app, environment } = request;
  const startWorkflowOperation = new WithStartWorkflowOperation('companion', {
    workflowId: companionId(app, environment),
    taskQueue: TASK_QUEUE,
    args: [app, environment],
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: `target ${app}/${environment}: ledger, queue, undo`,
  });
  // Nobody awaits the handle; without this its rejection would be an unhandled one.
  startWorkflowOperation.workflowHandle().catch(() => undefined);
  const submission = {
    type: request.type,
    input: await inputOf(link, request),
    mode,
    by: request.by ?? null,
    message: request.message ?? null,
  };
  try {
    const answer = await link.temporal.withDeadline(Date.now() + ANSWER_WITHIN, () =>
      link.temporal.workflow.executeUpdateWithStart(submitUpdate, { args: [submission], startWorkflowOperation }),
    );
    return answerOf(request, answer);
  } catch (error) {
    if (isLate(error)) {
      throw await noAnswer(link, `it is unknown whether target ${app}/${environment} accepted the release`);
    }
    if (isFailing(error)) throw failing(`target ${app}/${environment} did not accept the release`);
    throw toSluiceError(error, link.address);
  }
}

function answerOf(target: AppEnvironment, { state, run, why, ticket, tookPlaceOf }: SubmitAnswer): StartAnswer {
  const workflowId = rolloutId(target.app, target.environment);
  if (state === 'queued' || state === 'replacing') return { state, workflowId, run: null, ticket, tookPlaceOf };
  if (run === null) throw neverBegan(target, why ?? 'a newer release took its place in the queue');
  return { state: 'started', workflowId, run, tookPlaceOf };
}

/** What the starter is told of a queued release that never ran. */
export function neverBegan({ app, environment }: AppEnvironment, why: string): SluiceError {
  const id = rolloutId(app, environment);
  return new SluiceError(
    'SLUICE_SUPERSEDED',
    `this release of ${id} never started: ${clean(why)}. See \`sluice releases ${id}\`, and start it again if it is still wanted`,
  );
}

/** See `Sluice.undo`. */
export async function undo(link: Link, target: AppEnvironment, args: UndoArgs): Promise<StartAnswer> {
  const { to, hold, keepQueue, ...said } = args;
  const ledger = await ledgerOf(link, target);
  const version = to ?? ledger?.undo?.version;
  const why = version === undefined ? nothingToUndo(target, ledger) : notThere(target, ledger, version);
  if (version === undefined || why !== null) {
    // What is wanted is to take back what runs, and that is an abort.
    if ((await runningRun(link, target)) !== null) throw await alreadyRunning(link, { ...target, type: 'undo' });
    throw new SluiceError('SLUICE_VERB', why ?? nothingToUndo(target, ledger));
  }
  const input = {
    ...(to === undefined ? {} : { to }),
    ...(hold === true ? { hold } : {}),
    ...(keepQueue === true ? { keepQueue } : {}),
  };
  return start(link, { ...target, type: 'undo', input, onNewRelease: 'reject', release: version, ...said });
}

/** Why there is no way back to this release, and what there is; null when there is one. */
function notThere({ app, environment }: AppEnvironment, ledger: CompanionView | null, version: string): string | null {
  if (ledger === null)
    return `nothing has been released at ${app}/${environment} yet, so there is nothing to roll back to`;
  const [live] = ledger.releases;
  if (live !== undefined && live.until === null && live.version === version)
    return `release ${clean(version)} is already live at ${app}/${environment}`;
  if (ledger.undo?.version === version || goesBackTo(ledger).includes(version)) return null;
  const there = goesBackTo(ledger);
  const ways = there.length === 0 ? 'the ledger has no other' : `the ledger has: ${there.join(', ')}`;
  const gone = ledger.releases.find((each) => each.version === version);
  return gone === undefined
    ? `release ${clean(version)} is not in the ledger of ${app}/${environment}; ${ways}`
    : `release ${clean(version)} of ${app}/${environment} was deleted at ${new Date(gone.retired ?? 0).toISOString()}, after its rollback window; ${ways}. To use its code again, start a rollout of it`;
}

/** See `Sluice.unhold`. The statement is for the hold that is there, and for no later one. */
export async function unhold(
  link: Link,
  target: AppEnvironment,
  { by }: { by?: string },
): Promise<{ by: string | null }> {
  const { app, environment } = target;
  const hold = await readableHold(link, target);
  if (hold === null) {
    throw new SluiceError('SLUICE_VERB', `${app}/${environment} is not held; rollouts can start there`);
  }
  await mustAgree(link);
  const statement = { act: 'unhold', app, environment, strategy: 'undo', release: hold.run, input: {} } as const;
  const token = await startToken(link, statement);
  const message = { ...(by === undefined ? {} : { by }), ...(token === null ? {} : { token }) };
  const handle = link.temporal.workflow.getHandle(companionId(app, environment));
  try {
    return await link.temporal.withDeadline(Date.now() + ANSWER_WITHIN, () =>
      handle.executeUpdate(unholdUpdate, { args: [message] }),
    );
  } catch (error) {
    if (isLate(error))
      throw await noAnswer(link, `it is unknown whether the hold on ${app}/${environment} was removed`);
    throw toSluiceError(error, link.address);
  }
}

/** What holds a target, by its companion's memo; null when nothing does, or when it cannot be read here. */
async function holdOf(link: Link, target: AppEnvironment): Promise<Hold | null> {
  const companion = await companionOf(link, target);
  // What is kept under a key that is not here, the workers can read.
  const hold = await companion?.memo(HOLD_MEMO).catch(() => null);
  return holdIn({ [HOLD_MEMO]: hold });
}

/** The same, where "not held" would not be true. */
async function readableHold(link: Link, target: AppEnvironment): Promise<Hold | null> {
  const companion = await companionOf(link, target);
  const hold = await companion?.memo(HOLD_MEMO).catch((error: unknown) => {
    const { code, message } = toSluiceError(error, link.address);
    const id = rolloutId(target.app, target.environment);
    throw new SluiceError(code, `whether ${id} is held cannot be read here: ${message}`);
  });
  return holdIn({ [HOLD_MEMO]: hold });
}

/** The running companion; null if none runs, or someone else's workflow has its id. */
async function companionOf(link: Link, { app, environment }: AppEnvironment): Promise<Described | null> {
  const found = await described(link.temporal, companionId(app, environment)).catch((error: unknown) => {
    throw toSluiceError(error, link.address);
  });
  return found?.running === true && found.type === 'companion' ? found : null;
}

/** Why there is no way back by `undo`, and the way there is. */
function nothingToUndo({ app, environment }: AppEnvironment, ledger: CompanionView | null): string {
  const none = `there is nothing to undo at ${app}/${environment}`;
  const live = ledger?.releases[0];
  if (live === undefined) return `${none}: Sluice has released nothing yet`;
  if (live.replaced === null || live.undoUntil === null) {
    return `${none}: release ${live.version} is the first one. Start a rollout of the release you want instead`;
  }
  const over = `${none}: the rollback window for release ${live.replaced} ended at ${new Date(live.undoUntil).toISOString()} (rollbackWindow)`;
  const gone = ledger?.releases.some(({ version, retired }) => version === live.replaced && retired !== null);
  if (gone === true) return `${over}, and it has been deleted. Start a rollout of its code`;
  const known = ledger !== null && goesBackTo(ledger).includes(live.replaced);
  return known
    ? `${over}. It still exists: \`sluice undo ${app}/${environment} --to ${live.replaced}\``
    : `${over}. If it still exists, start a rollout with release: {version: ${live.replaced}}`;
}

/** The companion's view. Null when the target has none. Errors: those of `noAnswer`. */
export async function ledgerOf(link: Link, target: AppEnvironment): Promise<CompanionView | null> {
  const handle = link.temporal.workflow.getHandle(companionId(target.app, target.environment));
  try {
    return await link.temporal.withDeadline(Date.now() + ANSWER_WITHIN, () => handle.query(companionQuery));
  } catch (error) {
    const found = toSluiceError(error, link.address);
    if (found.code === 'SLUICE_NO_ROLLOUT') return null;
    if (isFailing(error)) throw failing(`the companion of ${target.app}/${target.environment} cannot be queried`);
    if (!isUnserved(error)) throw found;
    throw await noAnswer(link, `the companion of ${target.app}/${target.environment} does not answer`);
  }
}
