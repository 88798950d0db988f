/** The activities of one rollout, each on the queue, with the deadline and the retries its kind needs. */
import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { AccountActivities, CoreActivities } from '../activities/types.js';
import type { Account, Lane } from '../src/model/ids.js';
import { accountQueue, TASK_QUEUE } from '../src/model/ids.js';
import type { Spec } from '../src/model/spec.js';
import { targetName } from '../src/model/target.js';
import { untaken } from '../src/model/workers.js';

/** Back-off between two tries of a call. The provider's own hint, where there is one, goes before it. */
const RETRY = { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '15s' } as const;
const HEARTBEAT = '10s';
/** Longest single try of a cloud call; a frozen worker is found by its heartbeat long before. */
const ONE_TRY = '30m';

export const core = proxyActivities<CoreActivities>({
  taskQueue: TASK_QUEUE,
  startToCloseTimeout: '30s',
  scheduleToCloseTimeout: '5m',
  retry: RETRY,
});

/** A look at the workers of a queue. Nothing waits long for it: without an answer it is not known. */
const aside = proxyActivities<Pick<CoreActivities, 'workersOf'>>({
  taskQueue: TASK_QUEUE,
  startToCloseTimeout: '10s',
  scheduleToCloseTimeout: '15s',
  retry: RETRY,
});

/** Why nobody took a task of the account within `ms`: only the server knows which workers live. */
export async function whyUntaken(account: Account, ms: number): Promise<ReturnType<typeof untaken>> {
  const seen = await aside.workersOf({ queue: accountQueue(account, 'calls') }).catch(() => null);
  return untaken(account, ms, seen);
}

export function accountOf(spec: Spec): Account {
  return { platform: spec.target.platform, account: spec.target.account, region: spec.target.region };
}

/** Forward calls. Cancelled without waiting: what a late attempt may still do is fenced. */
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

/** An undo goes first in its queues, as going back does. */
function first({ strategy }: Spec) {
  return strategy.type === 'undo' ? { priority: { priorityKey: 1 } } : {};
}

/** `prepare`, which must be taken by a worker of the account within `worker` and be done within `deadline`. */
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

/** What the last try of a chunk may still take, in ms. */
const LAST_TRY = 15_000;

/**
 * How many tries of restoring begin within `ms`: at 0, 0.25, 0.75, 1.75, 3.75, 7.75 s, then every 5 s. Counted in tries, not
 * in time alone, so that what comes back is the provider's last answer and not a deadline.
 */
function triesWithin(ms: number): number {
  return 3 + Math.max(0, Math.floor((ms - 1_750) / 5_000)) + 1;
}

/** Restoring: first in its queue, with slots of its own, tried again until `chunk` is over. */
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

/** A look into the candidate's logs. Nobody's traffic waits for it, and a rollback without it is still one. */
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

/** The watcher: lasts as long as the weight, ends by being cancelled, and what it returns then counts. */
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
