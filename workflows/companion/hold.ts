/**
 * The companion's side of an undo: it empties the queue, and while the target is held nothing starts until someone releases
 * it.
 */
import { ApplicationFailure, log, upsertMemo } from '@temporalio/workflow';
import { HOLD_MEMO, type Hold } from '../../src/model/hold.js';
import { failureOf } from '../../src/model/rollout/failure.js';
import { clean } from '../../src/model/text.js';
import { core } from '../calls.js';
import type { RolloutEvent, UndoBegun } from '../messages.js';
import { leaveQueue, type QueueState } from './queue.js';

/** The part of the companion's state used here. */
export interface HoldState {
  hold: Hold | null;
  /** The undo that is running, and whether releases may wait behind it. */
  undoing: { run: string; keepQueue: boolean } | null;
}

/** From the start of a rollout. */
export function undoingOf({ run, undo }: Extract<RolloutEvent, { kind: 'began' }>): HoldState['undoing'] {
  return undo === undefined ? null : { run, keepQueue: undo.keepQueue };
}

/** Does what a starting undo asks for, once a worker has confirmed it: anyone can send a signal. */
export async function beginsUndo(state: QueueState & HoldState, run: string, undo: UndoBegun): Promise<void> {
  const { app, environment } = state;
  try {
    await core.believeUndo({ app, environment, run, undo });
  } catch (error) {
    log.warn('an undo was not accepted', { why: failureOf(error).message });
    if (state.undoing?.run === run) state.undoing = null;
    return;
  }
  const who = clean(undo.by ?? 'someone', 60);
  if (!undo.keepQueue)
    leaveQueue(
      state,
      `${who} started an undo to release ${clean(undo.version, 60)}; a queued release does not start after an undo`,
    );
  if (!undo.hold) return;
  const { by, version, message, seal } = undo;
  state.hold = { by, since: Date.now(), run, version, message, seal };
  remember(state);
}

/** The hold, readable without a worker. */
export function remember({ hold }: HoldState, always = hold !== null): void {
  if (always) upsertMemo({ [HOLD_MEMO]: hold });
}

export type Unhold = { by?: string; token?: string };

/** Why there is nothing to release; null if there is. */
export function unholdRefusal({ hold }: HoldState, given: unknown): string | null {
  if (hold === null) return 'unhold: the target is not held; rollouts can start';
  const { by, token } = (typeof given === 'object' && given !== null ? given : {}) as Record<string, unknown>;
  const sane = [by, token].every((each) => each === undefined || typeof each === 'string');
  return sane ? null : 'unhold takes {"by":"ann"}';
}

/** Releases the target. Errors: SLUICE_ACCESS for someone without the right. */
export async function released(
  state: QueueState & HoldState,
  given: Unhold | undefined,
): Promise<{ by: string | null }> {
  const { app, environment, hold } = state;
  if (hold === null) throw ApplicationFailure.nonRetryable('unhold: the target is not held', 'SLUICE_VERB');
  const { by = null, token = null } = given ?? {};
  const answer = await core.admitUnhold({
    app,
    environment,
    run: hold.run,
    by: by === null ? null : clean(by, 60),
    token,
  });
  // Another undo may hold the target by now, and this request was not about that one.
  if (state.hold?.run !== hold.run)
    throw ApplicationFailure.nonRetryable(
      'unhold: the target is now held by another undo; send it again',
      'SLUICE_VERB',
    );
  state.hold = null;
  remember(state, true);
  return { by: answer.by };
}
