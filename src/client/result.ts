/** How a rollout ended, for whoever holds Temporal's own handle. */
import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowFailedError } from '@temporalio/client';
import { failureOf } from '../model/rollout/failure.js';
import type { RolloutView } from '../model/view.js';

/**
 * Waits for the end of a rollout and answers its view. `handle.result()` rejects for a rollback, which closes the workflow as
 * Failed; the view is in the memo then. Errors: those of `handle.result()` for a rollout that was refused, canceled or terminated.
 */
export async function resultOf(handle: Pick<WorkflowHandle, 'result' | 'describe'>): Promise<RolloutView> {
  try {
    return (await handle.result()) as RolloutView;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError) || failureOf(error).code !== 'SLUICE_ROLLED_BACK') throw error;
    const { memo } = await handle.describe();
    if (memo?.view === undefined) throw error;
    return { ...(memo.view as RolloutView), series: (memo.series ?? []) as RolloutView['series'] };
  }
}
