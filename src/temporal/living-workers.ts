/** Asks the server which workers of some task queues live. */
import type { Client } from '@temporalio/client';
import {
  Attendance,
  DOUBT_FOR,
  type ListedWorker,
  POLLER_LIVES_FOR,
  seenOf,
  type WorkersSeen,
} from '../model/workers.js';

/** temporal.api.enums.v1.WorkerStatus. */
const RUNNING = 1;
/** temporal.api.enums.v1.TaskQueueType. */
const QUEUE_TYPES = { workflow: 1, activity: 2 } as const;
/** Longest answer of the server, in ms. */
const ANSWER_WITHIN = 5_000;
const PAGE = 1_000;
/** Pages that are read at most: more workers than this serve no queue. */
const PAGES = 20;

export type QueueType = keyof typeof QUEUE_TYPES;
type Asked = Pick<Client, 'workflowService' | 'options' | 'withDeadline'>;

/** All that the server lists of these queues, dead ones too. Errors: those of the server; old ones do not know this call. */
export async function listWorkers(client: Asked, queues: string[], within = ANSWER_WITHIN): Promise<ListedWorker[]> {
  const listed: ListedWorker[] = [];
  // `IN` is taken by the server, and answers nothing.
  const query = queues.map((queue) => `TaskQueue = "${queue}"`).join(' OR ');
  let nextPageToken: Uint8Array | undefined;
  for (let page = 0; page < PAGES; page += 1) {
    const { namespace } = client.options;
    const answer = await client.withDeadline(Date.now() + within, () =>
      client.workflowService.listWorkers({
        ...{ namespace, query, pageSize: PAGE },
        ...(nextPageToken === undefined ? {} : { nextPageToken }),
      }),
    );
    for (const { workerHeartbeat } of answer.workersInfo) {
      if (workerHeartbeat == null) continue;
      const slots = workerHeartbeat.activityTaskSlotsInfo;
      const taken = slots?.currentUsedSlots ?? 0;
      listed.push({
        key: workerHeartbeat.workerInstanceKey ?? '',
        identity: workerHeartbeat.workerIdentity ?? '',
        queue: workerHeartbeat.taskQueue ?? '',
        leaving: workerHeartbeat.status !== RUNNING,
        beat: millis(workerHeartbeat.heartbeatTime),
        places: (slots?.currentAvailableSlots ?? 0) + taken,
        taken,
      });
    }
    nextPageToken = answer.nextPageToken;
    if (nextPageToken.length === 0) break;
  }
  return listed;
}

/** Who has polled a queue within the last 70 s, by identity: all that servers without workers' signs of life know. */
export async function listPollers(
  client: Asked,
  queue: string,
  type: QueueType,
  within = ANSWER_WITHIN,
): Promise<Set<string>> {
  const { namespace } = client.options;
  const { pollers } = await client.withDeadline(Date.now() + within, () =>
    client.workflowService.describeTaskQueue({
      ...{ namespace, taskQueue: { name: queue }, taskQueueType: QUEUE_TYPES[type] },
    }),
  );
  const since = Date.now() - POLLER_LIVES_FOR;
  const living = (pollers ?? []).filter(({ lastAccessTime }) => millis(lastAccessTime) > since);
  return new Set(living.map(({ identity }) => identity ?? ''));
}

/** Whether workers' signs of life reach this server and can be listed. */
export async function knowsBeats(client: Asked, within = ANSWER_WITHIN): Promise<boolean> {
  const { namespace } = client.options;
  const { namespaceInfo } = await client.withDeadline(Date.now() + within, () =>
    client.workflowService.describeNamespace({ namespace }),
  );
  return namespaceInfo?.capabilities?.workerHeartbeats === true;
}

/**
 * The living workers of a queue. Looks twice, 2.5 s apart, where a worker may live that is not seen yet: it looks dead and may have
 * a wrong clock, or it polls and has given no sign of life yet. Errors: those of the server.
 */
export async function livingWorkers(client: Asked, queue: string, type: QueueType): Promise<WorkersSeen> {
  if (!(await knowsBeats(client))) {
    const pollers = await listPollers(client, queue, type);
    return { workers: pollers.size, places: null, taken: null };
  }
  const attendance = new Attendance();
  const look = async () => {
    const listed = await listWorkers(client, [queue]);
    return { listed, ...attendance.see(listed, clocks()) };
  };
  let seen = await look();
  const { listed } = seen;
  const isNew = (identity: string) => !listed.some((worker) => worker.identity === identity);
  if (seen.unsure || (seen.living.length === 0 && [...(await listPollers(client, queue, type))].some(isNew))) {
    await new Promise((resolve) => setTimeout(resolve, DOUBT_FOR));
    seen = await look();
  }
  return seenOf(seen.living, queue);
}

/** Identities of the living workers of a queue, as one look shows them. Errors: those of the server. */
export async function livingIdentities(client: Asked, queue: string, type: QueueType): Promise<string[]> {
  if (!(await knowsBeats(client))) return [...(await listPollers(client, queue, type))];
  const { living } = new Attendance().see(await listWorkers(client, [queue]), clocks());
  return living.map(({ identity }) => identity);
}

/** Of this moment. */
export function clocks() {
  return { monotonic: performance.now(), wall: Date.now() };
}

function millis(time: { seconds?: unknown; nanos?: number | null } | null | undefined): number {
  return Number(time?.seconds ?? 0) * 1_000 + (time?.nanos ?? 0) / 1_000_000;
}
