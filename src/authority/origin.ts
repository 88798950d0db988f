/** Where a run of a workflow comes from, as the server knows it and no argument can say otherwise. */
import type { Client } from '@temporalio/client';

export interface Origin {
  type: string;
  taskQueue: string;
  /** The run was made by Reset: its beginning is another run's. */
  reset: boolean;
  /** Its starter was given its first task, which no client of Sluice asks for: someone other than our workers decides in it. */
  eager: boolean;
  /** The run that continued as this one; null when none did. */
  continuedFrom: string | null;
  first: string;
  /** Its first task was to wait: then `startedAt` says nothing of when it runs. */
  delayed: boolean;
  /** ms since the epoch, by the server's clock. */
  startedAt: number;
}

/** Reads the run's first event. */
export async function originOf(
  client: Client,
  execution: { workflowId: string; runId: string },
): Promise<Origin | null> {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution,
    maximumPageSize: 1,
  });
  const [event] = history?.events ?? [];
  const began = event?.workflowExecutionStartedEventAttributes;
  if (began === undefined || began === null) return null;
  return {
    type: began.workflowType?.name ?? '',
    taskQueue: began.taskQueue?.name ?? '',
    reset: began.originalExecutionRunId !== execution.runId,
    eager: began.eagerExecutionAccepted === true,
    continuedFrom: began.continuedExecutionRunId || null,
    first: began.firstExecutionRunId || execution.runId,
    delayed: Number(began.firstWorkflowTaskBackoff?.seconds ?? 0) > 0,
    startedAt: Number(event?.eventTime?.seconds ?? 0) * 1000,
  };
}
