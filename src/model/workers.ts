/** Which workers live, read from what the server lists of them. Pure: whoever asks the server gives the answers and the clocks. */
import type { ErrorCode } from './errors.js';
import type { Account } from './ids.js';
import { accountQueue, workerCommand } from './ids.js';
import { duration } from './text.js';

/** One task queue of one worker process, as the server lists it. */
export interface ListedWorker {
  /** Of this queue of this process alone. */
  key: string;
  /** The process. */
  identity: string;
  queue: string;
  /** It ends, or it has ended. */
  leaving: boolean;
  /** Its last sign of life by its own clock, in ms since the epoch. */
  beat: number;
  /** Tasks that it can run at once. */
  places: number;
  /** Tasks that it runs. */
  taken: number;
}

/** The workers of a queue. */
export interface WorkersSeen {
  workers: number;
  /** Places of all of them together; null where the server lists no more than pollers. */
  places: number | null;
  taken: number | null;
}

/** How often a worker gives the server a sign of life, in ms: the shortest that Temporal allows. */
export const BEAT_EVERY = 1_000;
/** A worker whose last sign of life is older does not live, in ms: some are lost on a busy machine. */
export const LIVES_FOR = 5_000;
/**
 * How long one that looks dead when it is seen first is watched, in ms: its clock may be wrong, and then the next signs of
 * life show it.
 */
export const DOUBT_FOR = 2_500;
/** The same for servers that list pollers alone, in ms: a poll lasts 60 s, and a worker that has nothing to do shows no other sign. */
export const POLLER_LIVES_FOR = 70_000;

/** `monotonic` and `wall` (since the epoch) in ms, at the moment the server was asked. */
export interface Clocks {
  monotonic: number;
  wall: number;
}

interface Known {
  worker: ListedWorker;
  /** When this beat was seen first. */
  at: number;
  /** Its age then by the two clocks; 0 for one that came while we looked. */
  age: number;
}

/**
 * Which of the listed workers are alive. It watches how their heartbeats change, so that a wrong clock on one machine neither
 * hides a living worker nor keeps a dead one.
 */
export class Attendance {
  private known = new Map<string, Known>();

  /** `unsure`: one that looks dead may live; look again after `DOUBT_FOR`. Until then it counts as living. */
  see(listed: ListedWorker[], { monotonic, wall }: Clocks): { living: ListedWorker[]; unsure: boolean } {
    for (const worker of listed) {
      const before = this.known.get(worker.key);
      if (before === undefined) {
        this.known.set(worker.key, { worker, at: monotonic, age: Math.max(0, wall - worker.beat) });
      } else if (before.worker.beat !== worker.beat) {
        this.known.set(worker.key, { worker, at: monotonic, age: 0 });
      }
    }
    const now = new Set(listed.map(({ key }) => key));
    let unsure = false;
    const living: ListedWorker[] = [];
    for (const [key, { worker, at, age }] of this.known) {
      const since = monotonic - at;
      const doubted = age > LIVES_FOR - DOUBT_FOR && !worker.leaving && since < DOUBT_FOR;
      const lives = age + since < LIVES_FOR;
      // One that leaves and runs nothing makes no calls any more.
      if ((lives || doubted) && (!worker.leaving || worker.taken > 0)) living.push(worker);
      unsure ||= doubted && !lives;
      // A restarted server has forgotten its workers, and they are alive.
      if (!lives && !doubted && !now.has(key)) this.known.delete(key);
    }
    return { living, unsure };
  }
}

/** What a queue's living workers come to. */
export function seenOf(living: ListedWorker[], queue: string): WorkersSeen {
  const here = living.filter((worker) => worker.queue === queue && !worker.leaving);
  const sum = (of: (worker: ListedWorker) => number) => here.reduce((total, worker) => total + of(worker), 0);
  return {
    workers: new Set(here.map(({ identity }) => identity)).size,
    places: sum(({ places }) => places),
    taken: sum(({ taken }) => taken),
  };
}

/**
 * Why nobody took a task of an account within `ms`, with what to do about it. `seen` null: the server could not be asked.
 * SLUICE_NO_WORKER where none lives, SLUICE_WORKERS_BUSY where some do, SLUICE_DEADLINE where that is not known.
 */
export function untaken(account: Account, ms: number, seen: WorkersSeen | null): { code: ErrorCode; message: string } {
  const served = `account ${account.account} in ${account.region}`;
  const task = `no worker took a task from queue ${accountQueue(account, 'calls')} within ${duration(ms)}`;
  const start = `start one with \`${workerCommand(account)}\``;
  if (seen === null) {
    const message = `${task}, and the server does not report which workers serve ${served}; check with \`sluice doctor\`, and if there is none, ${start}`;
    return { code: 'SLUICE_DEADLINE', message };
  }
  if (seen.workers === 0) return { code: 'SLUICE_NO_WORKER', message: `no worker serves ${served}: ${task}; ${start}` };
  return {
    code: 'SLUICE_WORKERS_BUSY',
    message: `${busyWords(seen, `serve${seen.workers === 1 ? 's' : ''} ${served}`)}: ${task}. It continues when a slot is free; for more slots, ${start.replace('one', 'one more worker')}`,
  };
}

/** `all 50 places of the worker that serves … are taken`. */
export function busyWords({ workers, places, taken }: WorkersSeen, that: string): string {
  const whose = workers === 1 ? `the worker that ${that}` : `the ${workers} workers that ${that}`;
  if (places === null || taken === null) {
    return workers === 1 ? `${whose} is running but busy` : `${whose} are running but busy`;
  }
  if (taken >= places) return `all ${places} task slots of ${whose} are in use`;
  return `${taken} of ${places} task slots of ${whose} are in use`;
}
