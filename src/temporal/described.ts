/** What the server says about a run, without decoding what someone else may have put into its memo. */
import {
  type Client,
  isGrpcServiceError,
  type WorkflowExecutionInfo,
  type WorkflowExecutionStatusName,
} from '@temporalio/client';
import { executionInfoFromRaw, rethrowKnownErrorTypes } from '@temporalio/client/lib/helpers.js';
import { decodeOptionalSinglePayload } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { TASK_QUEUE } from '../model/ids.js';
import { clean } from '../model/text.js';

/** temporal.api.enums.v1.HistoryEventFilterType: the event that closed the run, and no other. */
const CLOSE_EVENT = 2;
/** gRPC's NOT_FOUND. */
const NOT_FOUND = 5;
/** By temporal.api.enums.v1.WorkflowExecutionStatus. */
const STATUSES: readonly WorkflowExecutionStatusName[] = [
  'UNSPECIFIED',
  'RUNNING',
  'COMPLETED',
  'FAILED',
  'CANCELLED',
  'TERMINATED',
  'CONTINUED_AS_NEW',
  'TIMED_OUT',
  'PAUSED',
];
/** Longest answer of the server, and longest wait for a page of a list, in ms. */
const ANSWER_WITHIN = 5_000;
const PAGE_WITHIN = 10_000;

export interface Described {
  workflowId: string;
  /** This run alone; `run` is the first one of its chain. */
  runId: string;
  run: string;
  running: boolean;
  status: WorkflowExecutionStatusName;
  /** Its type, if our own workers run it: anyone may start a workflow of our type on their own task queue. Otherwise null. */
  type: string | null;
  /** What its starter named: foreign text. */
  named: { type: string; queue: string };
  startedAt: Date;
  closedAt: Date | null;
  /** Heartbeats of the activities of a type that are on their way, not decoded. */
  heartbeats(activity: string): Payloads;
  /** A field of its memo, undefined when it has none of that name. Errors: those of what cannot be decoded. */
  memo(field: string): Promise<unknown>;
}

type Answer = Awaited<ReturnType<Client['workflowService']['describeWorkflowExecution']>>;
type Payloads = NonNullable<NonNullable<Answer['pendingActivities'][number]['heartbeatDetails']>['payloads']>;

/** The last run of a workflow id, or the run with that id; null if there is none. Errors: those of the server. */
export async function described(client: Client, workflowId: string, runId?: string): Promise<Described | null> {
  const { namespace, loadedDataConverter } = client.options;
  const execution = { workflowId, ...(runId === undefined ? {} : { runId }) };
  const answer = await client
    .withDeadline(Date.now() + ANSWER_WITHIN, () =>
      client.workflowService.describeWorkflowExecution({ namespace, execution }),
    )
    .catch((error: unknown) => {
      if (!isGrpcServiceError(error) || Number(error.code) !== NOT_FOUND) throw error;
      // A namespace that is not there is no target without rollouts.
      rethrowKnownErrorTypes(error);
      return null;
    });
  if (answer === null) return null;
  const { workflowExecutionInfo: info, executionConfig, pendingActivities } = answer;
  const named = { type: info?.type?.name ?? '', queue: executionConfig?.taskQueue?.name ?? '' };
  const own = info?.execution?.runId ?? '';
  const status = STATUSES[info?.status ?? 0] ?? 'UNKNOWN';
  return {
    workflowId,
    runId: own,
    run: info?.firstRunId || own,
    running: status === 'RUNNING',
    status,
    type: named.queue === TASK_QUEUE ? named.type : null,
    named,
    startedAt: dateOf(info?.startTime) ?? new Date(0),
    closedAt: dateOf(info?.closeTime),
    heartbeats: (activity) =>
      pendingActivities.find(({ activityType }) => activityType?.name === activity)?.heartbeatDetails?.payloads ?? [],
    memo: (field) => decodeOptionalSinglePayload(loadedDataConverter, info?.memo?.fields?.[field]),
  };
}

/** The run that closed the chain of this one: each run that has grown long continues as a new one. Errors: those of the server. */
export async function lastOfChain(client: Client, seen: Described): Promise<Described> {
  let last = seen;
  while (last.status === 'CONTINUED_AS_NEW') {
    const { workflowId, runId } = last;
    const { history } = await client.withDeadline(Date.now() + ANSWER_WITHIN, () =>
      client.workflowService.getWorkflowExecutionHistory({
        namespace: client.options.namespace,
        execution: { workflowId, runId },
        historyEventFilterType: CLOSE_EVENT,
      }),
    );
    const next = history?.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
    const found = next ? await described(client, workflowId, next) : null;
    // The server keeps histories for a while, and has forgotten what followed.
    if (found === null) return last;
    last = found;
  }
  return last;
}

/** What our own workers run, for a query of lists. */
export const OURS = `TaskQueue = '${TASK_QUEUE}'`;

/** One of a list. */
export interface Listed {
  info: Omit<WorkflowExecutionInfo, 'memo'>;
  /** The first run of its chain. */
  run: string;
  /** As above. */
  memo(field: string): Promise<unknown>;
}

/** All that a query finds, newest first. Errors: those of the server. */
export async function* listed(client: Client, query: string): AsyncGenerator<Listed> {
  const { namespace, loadedDataConverter } = client.options;
  let nextPageToken: Uint8Array = new Uint8Array();
  do {
    const request = { namespace, query, nextPageToken };
    const page = await client
      .withDeadline(Date.now() + PAGE_WITHIN, () => client.workflowService.listWorkflowExecutions(request))
      .catch((error: unknown) => {
        if (isGrpcServiceError(error)) rethrowKnownErrorTypes(error);
        throw error;
      });
    for (const raw of page.executions) {
      const { memo } = raw;
      // Decoded only if a field is requested.
      raw.memo = null;
      const info = await executionInfoFromRaw(raw, loadedDataConverter, raw, namespace);
      yield {
        info,
        run: raw.firstRunId || info.runId,
        memo: (field) => decodeOptionalSinglePayload(loadedDataConverter, memo?.fields?.[field]),
      };
    }
    nextPageToken = page.nextPageToken;
  } while (nextPageToken.length > 0);
}

/** What someone else has started, for a person: its type and its task queue. */
export function sayForeign({ named: { type, queue } }: Pick<Described, 'named'>): string {
  return `workflow ${clean(type, 60)} on task queue "${clean(queue, 200)}"`;
}

function dateOf(at: { seconds?: unknown; nanos?: number | null } | null | undefined): Date | null {
  return at == null ? null : new Date(Number(at.seconds ?? 0) * 1000 + Math.floor((at.nanos ?? 0) / 1e6));
}
