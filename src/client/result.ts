/** How a rollout ended, for whoever holds Temporal's own handle. */
import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { failureOf } from '../model/rollout/failure.js';
import type { RolloutView } from '../model/view.js';

/**
 * Waits for the end of a rollout and answers its view. `handle.result()` rejects for a rollback, which closes the workflow as
 * Failed; the view is in the memo then. Errors: those of `handle.result()` for a rollout that was refused, canceled or terminated.
 */
export async function resultOf(handle: Pick<WorkflowHandle, 'result' | 'client' | 'workflowId'>): Promise<RolloutView> {
  try {
    return (await handle.result()) as RolloutView;
  } catch (error) {
    const runId = error instanceof WorkflowFailedError ? rolledBackIn(error) : null;
    if (runId === null) throw error;
    // Another rollout may have the id by now.
    const { memo } = await handle.client.getHandle(handle.workflowId, runId).describe();
    const view = memo?.view as RolloutView | undefined;
    if (view?.schema !== 1) throw error;
    return { ...view, series: (memo?.series ?? []) as RolloutView['series'] };
  }
}

/** The run that was rolled back, by its failure; null when it failed otherwise. */
function rolledBackIn(error: WorkflowFailedError): string | null {
  if (failureOf(error).code !== 'SLUICE_ROLLED_BACK' || !(error.cause instanceof ApplicationFailure)) return null;
  const [said] = (error.cause.details ?? []) as { runId?: unknown }[];
  return typeof said?.runId === 'string' ? said.runId : null;
}
