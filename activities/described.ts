/** What the server says of a run, without decoding what a stranger may have put into its memo. */
import { type Client, isGrpcServiceError } from '@temporalio/client';
import { decodeOptionalSinglePayload } from '@temporalio/common/lib/internal-non-workflow/index.js';

/** gRPC's NOT_FOUND. */
const NOT_FOUND = 5;
/** temporal.api.enums.v1.WorkflowExecutionStatus. */
const RUNNING = 1;

/** Null when no run of this id is going on; else one field of its memo, undefined when it has none of that name. */
export async function runningMemo(
  client: Client,
  workflowId: string,
  field: string,
): Promise<{ value: unknown } | null> {
  const { namespace, loadedDataConverter } = client.options;
  try {
    const { workflowExecutionInfo: info } = await client.workflowService.describeWorkflowExecution({
      namespace,
      execution: { workflowId },
    });
    if (info?.status !== RUNNING) return null;
    return { value: await decodeOptionalSinglePayload(loadedDataConverter, info.memo?.fields?.[field]) };
  } catch (error) {
    if (isGrpcServiceError(error) && Number(error.code) === NOT_FOUND) return null;
    throw error;
  }
}
