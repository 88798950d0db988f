/** The activities of one rollout, each on its queue, with the deadline and retries that it needs. */
import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { AccountActivities, CoreActivities } from '../activities/types.js';
import type { Account, Lane } from '../src/model/ids.js';
import { accountQueue, TASK_QUEUE } from '../src/model/ids.js';
import type { Spec } from '../src/model/spec.js';
import { targetName } from '../src/model/target.js';
import { untaken } from '../src/model/workers.js';

/** Back-off between two attempts of a call. A hint from the provider takes precedence. */
const RETRY = { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '15s' } as const;
const HEARTBEAT = '10s';
/** Longest single attempt of a cloud call. The heartbeat finds a frozen worker long before that. */
const ONE_TRY = '30m';

export const core = proxyActivities<CoreActivities>({
  taskQueue: TASK_QUEUE,
  startToCloseTimeout: '30s',
  scheduleToCloseTimeout: '5m',
  retry: RETRY,
});

/** Asks which workers serve a queue. Short, since nothing should wait for it: without an answer, the workers are unknown. */
const aside = proxyActivities<Pick<CoreActivities, 'workersOf'>>({
  taskQueue: TASK_QUEUE,
  startToCloseTimeout: '10s',
  scheduleToCloseTimeout: '15s',
  retry: RETRY,
});

/** Why no worker took a task of the account within `ms`. Only the server knows which workers are alive. */
export async function whyUntaken(account: Account, ms: number): Promise<ReturnType<typeof untaken>> {
  const seen = await aside.workersOf({ queue: accountQueue(account, 'calls') }).catch(() => null);
  return untaken(account, ms, seen);
}

export function accountOf(spec: Spec): Account {
  return { platform: spec.target.platform, account: spec.target.account, region: spec.target.region };
}

/** Forward calls. A cancel does not wait for them: whatever a late attempt still does is fenced. */
export function forward(spec: Spec, deadline: number, summary: string, lane: Lane = 'calls') {
  return proxyActivities<AccountActivities>({
    taskQueue: accountQueue(accountOf(spec), lane),
    scheduleToCloseTimeout: deadline,
    startToCloseTimeout: ONE_TRY,
    heartbeatTimeout: HEARTBEAT,
    cancellationType: ActivityCancellationType.TRY_CANCEL,
    retry: RETRY,
    ...first(spec),
    summary,
  });
}

/** An undo goes first in its queues, like a rollback. */
function first({ strategy }: Spec) {
  return strategy.type === 'undo' ? { priority: { priorityKey: 1 } } : {};
}

/** `prepare`. A worker of the account must take it within `worker` and finish within `deadline`. */
export function preparing(spec: Spec, worker: number) {
  return proxyActivities<Pick<AccountActivities, 'prepare'>>({
    taskQueue: accountQueue(accountOf(spec), 'calls'),
    scheduleToStartTimeout: worker,
    scheduleToCloseTimeout: worker + spec.deadlines.deploy,
    startToCloseTimeout: '5m',
    heartbeatTimeout: HEARTBEAT,
    cancellationType: ActivityCancellationType.TRY_CANCEL,
    retry: RETRY,
    ...first(spec),
    summary: `read ${targetName(spec.target)} and plan`,
  });
}

/** The longest that the last attempt of a chunk may take, in ms. */
const LAST_TRY = 15_000;

/**
 * How many restore attempts start within `ms`: at 0, 0.25, 0.75, 1.75, 3.75, 7.75 s, then every 5 s. Limited by a count and
 * not only by time, so that the activity returns the provider's last error instead of a timeout.
 */
function triesWithin(ms: number): number {
  return 3 + Math.max(0, Math.floor((ms - 1_750) / 5_000)) + 1;
}

/** Restoring: first in its queue, with its own slots, retried until `chunk` is over. */
export function restoring(spec: Spec, chunk: number, summary: string) {
  return proxyActivities<Pick<AccountActivities, 'restore' | 'adopt' | 'read'>>({
    taskQueue: accountQueue(accountOf(spec), 'restore'),
    scheduleToCloseTimeout: chunk + LAST_TRY,
    startToCloseTimeout: ONE_TRY,
    heartbeatTimeout: HEARTBEAT,
    cancellationType: ActivityCancellationType.TRY_CANCEL,
    priority: { priorityKey: 1 },
    retry: { ...RETRY, initialInterval: '250ms', maximumInterval: '5s', maximumAttempts: triesWithin(chunk) },
    summary,
  });
}

/** Reads the candidate's logs. No traffic waits for it, and a rollback works without it. */
export function looking(spec: Spec) {
  return proxyActivities<Pick<AccountActivities, 'errors'>>({
    taskQueue: accountQueue(accountOf(spec), 'watch'),
    scheduleToCloseTimeout: '15s',
    startToCloseTimeout: '10s',
    heartbeatTimeout: HEARTBEAT,
    cancellationType: ActivityCancellationType.TRY_CANCEL,
    retry: RETRY,
    summary: "find the candidate's most frequent errors",
  });
}

/** The watcher. It runs as long as the weight lasts and ends by being cancelled; its result counts even then. */
export function watching(spec: Spec, summary: string, heartbeat: number) {
  return proxyActivities<Pick<AccountActivities, 'watch'>>({
    taskQueue: accountQueue(accountOf(spec), 'watch'),
    startToCloseTimeout: '365d',
    heartbeatTimeout: heartbeat,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '500ms', backoffCoefficient: 1.5, maximumInterval: '5s' },
    summary,
  });
}
