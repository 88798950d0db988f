/**
 * The budget of control-plane calls of one account and region. Providers limit them per account (Lambda: 15 a second over
 * nearly all operations, "Lambda quotas"), so it is counted in calls and shared by all workers.
 *
 * It is a log of the last second and no bucket: what a bucket has saved up comes on top of its rate, and the two together go
 * over the limit.
 */

/** A worker's place among those that share the budget. */
export interface Share {
  /** From 0: the place of this worker in an order that all of them see alike. */
  rank: number;
  workers: number;
  /**
   * `known`: all others that make calls count this worker. `new`: some may not yet, so it makes no call. `cutOff`: it has no
   * news of the others, so it makes one restoring call a second and no other one.
   */
  standing: 'known' | 'new' | 'cutOff';
}

/** One worker has the budget to itself. */
export const ALONE: Share = { rank: 0, workers: 1, standing: 'known' };

export interface Budget {
  /**
   * Resolves when one call may be made, with what must be called when it is answered, or has failed. Urgent callers go before
   * all others. Rejects with an AbortError when `signal` fires.
   */
  acquire(urgent: boolean, signal: AbortSignal): Promise<() => void>;
  /** The provider has throttled a call: go slower for a while. */
  throttled(): void;
}

export interface BudgetOptions {
  /** Calls a second of all workers of the account together, for what goes forward. Restoring may use half as many again. */
  perSecond: number;
  /** Asked at each call, because workers come and go. */
  share: () => Share;
  /** Monotonic clock in milliseconds. */
  now?: () => number;
}

/** So many calls within so many ms. */
export interface Allowance {
  calls: number;
  within: number;
}

const SECOND = 1_000;
/** All calls together, by what goes forward: 15 a second by 10. The rest is kept free for restoring. */
const IN_ALL = 1.5;
/**
 * When a call reaches the provider is known only by its answer, so it counts until a second after that. One that takes longer
 * is long there (an upload, a slow answer), in ms.
 */
const ON_ITS_WAY = 1_000;
/** A throttled call halves the rate, down to this part of it; each second without one gives back `RECOVERY`. */
const SLOWEST = 0.1;
const RECOVERY = 0.1;
/** Restoring slows down no further: what is throttled may be someone else's calls. */
const SLOWEST_RESTORING = 0.5;
/** Calls in flight at the same moment are throttled together; they count as one, in ms. */
const SAME_MOMENT = 500;
/** Between two looks of what waits, in ms at most: shares come and go. */
const LOOK_AGAIN = 100;

/**
 * One worker's part of `perSecond` calls. Whole calls, so that the parts of all ranks come to `perSecond` and no more, also
 * while one worker still sees one that has gone: with more workers, and with a higher rank, a part is never larger. More
 * workers than calls take turns of more than a second: then `perSecond` holds on average.
 */
export function partOf(perSecond: number, { rank, workers }: Pick<Share, 'rank' | 'workers'>): Allowance {
  const whole = Math.floor(perSecond);
  if (whole < workers) return { calls: 1, within: (SECOND * workers) / Math.max(0.01, perSecond) };
  return { calls: Math.ceil((whole - rank) / workers), within: SECOND };
}

function slower({ calls, within }: Allowance, by: number): Allowance {
  const fewer = calls * by;
  return fewer >= 1 ? { calls: Math.floor(fewer), within } : { calls: 1, within: within / fewer };
}

/** A call in the log. */
interface Made {
  granted: number;
  answered: number | null;
}

interface Waiter {
  resolve: (answered: () => void) => void;
}

export function createBudget({ perSecond, share, now = () => performance.now() }: BudgetOptions): Budget {
  const urgentLane: Waiter[] = [];
  const lane: Waiter[] = [];
  let log: Made[] = [];
  let slowed = 1;
  let slowedAt = Number.NEGATIVE_INFINITY;
  let recoveredAt = now();
  let timer: NodeJS.Timeout | null = null;

  const arrived = ({ granted, answered }: Made) => Math.min(answered ?? Number.POSITIVE_INFINITY, granted + ON_ITS_WAY);
  const room = ({ calls, within }: Allowance, at: number) =>
    log.filter((made) => at < arrived(made) + within).length < calls;

  /** What may be made now; null: nothing. */
  const allowances = (): { forward: Allowance | null; all: Allowance } | null => {
    const mine = share();
    if (mine.standing === 'new') return null;
    if (mine.standing === 'cutOff') return { forward: null, all: { calls: 1, within: SECOND } };
    return {
      forward: slower(partOf(perSecond, mine), slowed),
      all: slower(partOf(perSecond * IN_ALL, mine), Math.max(SLOWEST_RESTORING, slowed)),
    };
  };

  const recover = (at: number) => {
    slowed = Math.min(1, slowed + ((at - recoveredAt) / SECOND) * RECOVERY);
    recoveredAt = at;
  };

  const grant = (queue: Waiter[], at: number) => {
    const made: Made = { granted: at, answered: null };
    log.push(made);
    queue.shift()?.resolve(() => {
      made.answered ??= now();
    });
  };

  const serve = () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const at = now();
    recover(at);
    const allowed = allowances();
    if (allowed !== null) {
      const { forward, all } = allowed;
      const longest = Math.max(SECOND, all.within, forward?.within ?? 0);
      log = log.filter((made) => at < arrived(made) + longest);
      while (urgentLane.length > 0 && room(all, at)) grant(urgentLane, at);
      while (urgentLane.length === 0 && lane.length > 0 && forward !== null && room(forward, at) && room(all, at)) {
        grant(lane, at);
      }
    }
    if (urgentLane.length + lane.length > 0) timer = setTimeout(serve, nextLook(at, allowed?.all.within ?? SECOND));
  };

  /** Until the oldest call falls out of its second, in ms. */
  const nextLook = (at: number, within: number) => {
    const free = Math.min(...log.map((made) => arrived(made) + within - at));
    return Math.min(LOOK_AGAIN, Math.max(1, Number.isFinite(free) ? free : LOOK_AGAIN));
  };

  return {
    acquire(urgent, signal) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(aborted());
        const queue = urgent ? urgentLane : lane;
        const waiter: Waiter = {
          resolve: (answered) => {
            signal.removeEventListener('abort', leave);
            resolve(answered);
          },
        };
        const leave = () => {
          queue.splice(queue.indexOf(waiter), 1);
          reject(aborted());
        };
        signal.addEventListener('abort', leave, { once: true });
        queue.push(waiter);
        serve();
      });
    },
    throttled() {
      const at = now();
      recover(at);
      if (at - slowedAt < SAME_MOMENT) return;
      slowedAt = at;
      slowed = Math.max(SLOWEST, slowed / 2);
    },
  };
}

function aborted(): Error {
  return Object.assign(new Error('the call was cancelled while it waited for the budget'), { name: 'AbortError' });
}
