/** What the server says of a run, without decoding what a stranger may have put into its memo. */
import { type Client, isGrpcServiceError } from '@temporalio/client';
import { decodeOptionalSinglePayload } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { TASK_QUEUE } from '../src/model/ids.js';

/** gRPC's NOT_FOUND. */
const NOT_FOUND = 5;
/** temporal.api.enums.v1.WorkflowExecutionStatus. */
const RUNNING = 1;
/** Longest answer of the server, in ms. */
const ANSWER_WITHIN = 5_000;

interface Described {
  running: boolean;
  /** Its type, where our own workers run it: anybody may start a workflow of our type on a task queue of his own. Else null. */
  type: string | null;
  /** The first run of its chain. */
  run: string;
  /** A field of its memo, undefined when it has none of that name. Errors: those of what cannot be decoded. */
  memo(field: string): Promise<unknown>;
}

/** The last run of a workflow id; null when there is none. */
export async function described(client: Client, workflowId: string): Promise<Described | null> {
  const { namespace, loadedDataConverter } = client.options;
  try {
    const { workflowExecutionInfo: info, executionConfig } = await client.withDeadline(Date.now() + ANSWER_WITHIN, () =>
      client.workflowService.describeWorkflowExecution({ namespace, execution: { workflowId } }),
    );
    return {
      running: info?.status === RUNNING,
      type: executionConfig?.taskQueue?.name === TASK_QUEUE ? (info?.type?.name ?? null) : null,
      run: info?.firstRunId || info?.execution?.runId || '',
      memo: (field) => decodeOptionalSinglePayload(loadedDataConverter, info?.memo?.fields?.[field]),
    };
  } catch (error) {
    if (isGrpcServiceError(error) && Number(error.code) === NOT_FOUND) return null;
    throw error;
  }
}
