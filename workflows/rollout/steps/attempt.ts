/**
 * One attempt of a step's call. A failure rolls back; a foreign change stops all writes until a person answers; an undo
 * retries.
 */
import { isCancellation } from '@temporalio/workflow';
import { ERRORS } from '../../../src/model/errors.js';
import { failureOf, foundOf, isForeign } from '../../../src/model/rollout/failure.js';
import type { Phase } from '../../../src/model/words.js';
import { foreignChange } from '../foreign-change.js';
import type { Outcome } from '../outcome.js';
import type { Parts } from '../parts.js';
import type { RolloutState } from '../state.js';

/** Whether nothing at the target had been touched when the running step started. */
export function untouchedBefore({ step, touched }: RolloutState): boolean {
  step.untouched ??= !touched;
  return step.untouched;
}

/**
 * Runs one call in its phase. `untouched`: nothing was written before, so a call that is refused before it starts leaves
 * nothing to restore.
 */
export async function attempt(
  parts: Parts,
  phase: Phase,
  work: () => Promise<void>,
  untouched = !parts.run.state.touched,
): Promise<Outcome> {
  const { run, flow } = parts;
  run.journal.enter(phase);
  try {
    const ended = await flow.call(work);
    if (typeof ended !== 'string') return 'done';
    return ended === 'asked' ? 'again' : ended;
  } catch (error) {
    if (isForeign(error)) return foreignChange(parts, failureOf(error).message, foundOf(error));
    if (isTriedAgain(parts, error)) return rest(parts, error);
    const { code, message } = failureOf(error);
    if (code === 'SLUICE_ACCESS' && untouched) run.state.touched = false;
    return { leave: { outcome: 'rolledBack', reason: message, code } };
  }
}

/** Users wait for an undo, so a call that the provider refuses is retried until it succeeds. */
function isTriedAgain({ run }: Parts, error: unknown): boolean {
  const { code } = failureOf(error);
  if (!run.isUndo || isCancellation(error) || code === 'SLUICE_ACCESS') return false;
  // Before any write was tried, a final refusal by the provider leaves everything as it is.
  return run.state.touched || code === null || !ERRORS[code].final || code === 'SLUICE_NO_WORKER';
}

async function rest({ run, flow, undo, announcements }: Parts, error: unknown): Promise<Outcome> {
  const { code, message } = failureOf(error);
  run.journal.enter('stuck', `the undo has not succeeded yet: ${message}`, code);
  void announcements.notify('stuck');
  const waited = await flow.until(() => run.requests.retry !== undefined, undo.nextRest(), 'retry the undo', {
    deaf: true,
  });
  delete run.requests.retry;
  return waited === 'asked' || waited === 'elapsed' ? 'again' : waited;
}
