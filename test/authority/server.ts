/** A server of Temporal as far as the checks ask one: how a run began, and which ids are taken. */
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { defaultDataConverter, defaultPayloadConverter } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';

export const HERE = { workflowId: 'checkout/production', runId: 'run-1' };

/** How a run began that is as it should be. */
const BEGAN = {
  workflowType: { name: 'canary' },
  taskQueue: { name: 'sluice' },
  originalExecutionRunId: HERE.runId,
  firstExecutionRunId: HERE.runId,
};

interface Taken {
  type: string;
  queue: string;
  memo: Record<string, unknown>;
}

/** `began`: what is otherwise about the run that asks; null: the server knows no such run. */
export function fakeServer(began: object | null = {}, startedAt = Date.now()) {
  const taken = new Map<string, Taken>();
  const client = {
    options: { namespace: 'default', loadedDataConverter: defaultDataConverter },
    withDeadline: (_: number, ask: () => unknown) => ask(),
    workflow: {
      start: async (type: string, of: { workflowId: string; taskQueue: string; memo: Record<string, unknown> }) => {
        if (taken.has(of.workflowId)) throw new WorkflowExecutionAlreadyStartedError('taken', of.workflowId, type);
        taken.set(of.workflowId, { type, queue: of.taskQueue, memo: of.memo });
      },
    },
    workflowService: {
      getWorkflowExecutionHistory: async () => ({
        history: {
          events:
            began === null
              ? []
              : [
                  {
                    eventTime: { seconds: Math.floor(startedAt / 1000) },
                    workflowExecutionStartedEventAttributes: { ...BEGAN, ...began },
                  },
                ],
        },
      }),
      describeWorkflowExecution: async ({ execution: { workflowId } }: { execution: { workflowId: string } }) => {
        const found = taken.get(workflowId);
        if (found === undefined)
          throw Object.assign(new Error('not found'), { code: 5, details: '', metadata: { get: () => [] } });
        const fields = Object.entries(found.memo).map(([key, value]) => [
          key,
          defaultPayloadConverter.toPayload(value),
        ]);
        return {
          workflowExecutionInfo: {
            execution: { workflowId, runId: 'run-p' },
            type: { name: found.type },
            memo: { fields: Object.fromEntries(fields) },
          },
          executionConfig: { taskQueue: { name: found.queue } },
          pendingActivities: [],
        };
      },
    },
  };
  return { client: client as unknown as Client, taken };
}

/** What is done inside an activity of this run. An error comes out of it without the log of a worker. */
export async function inRun<T>(work: () => Promise<T>, execution: object = HERE): Promise<T> {
  const env = new MockActivityEnvironment({ workflowExecution: execution as typeof HERE });
  const ended = (await env.run(async () => {
    const [result] = await Promise.allSettled([work()]);
    return result;
  })) as PromiseSettledResult<T>;
  if (ended.status === 'rejected') throw ended.reason;
  return ended.value;
}
