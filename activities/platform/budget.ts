/**
 * The budget of control-plane calls of one account and region. Providers limit them per account (Lambda: 15 a second over
 * nearly all operations, "Lambda quotas"), so it is counted in calls and shared by all workers.
 */

export interface Budget {
  /** Resolves when one call may be made. Urgent callers go before all others. Rejects with an AbortError when `signal` fires. */
  acquire(urgent: boolean, signal: AbortSignal): Promise<void>;
  /** The provider has throttled a call: go slower for a while. */
  throttled(): void;
}

export interface BudgetOptions {
  /** Calls a second that all workers of the account make together. */
  perSecond: number;
  /** This worker's part of them, 0-1. Asked at each call, because workers come and go. */
  share: () => number;
  /** Monotonic clock in milliseconds. */
  now?: () => number;
}

/** Calls that may follow each other at once, in seconds of the rate: enough for a read and a write, too few for a burst. */
const BURST = 0.2;
/** Calls that urgent callers may take ahead of time, in seconds of the rate: the room between our budget and the provider's limit. */
const AHEAD = 0.5;
/** A throttled call halves the rate, down to this part of it; each second without one gives back `RECOVERY`. */
const SLOWEST = 0.1;
const RECOVERY = 0.1;
/** Calls in flight at the same moment are throttled together; they count as one, in ms. */
const SAME_MOMENT = 500;

interface Waiter {
  resolve: () => void;
}

export function createBudget({ perSecond, share, now = () => performance.now() }: BudgetOptions): Budget {
  const urgentLane: Waiter[] = [];
  const lane: Waiter[] = [];
  let tokens = Math.max(1, perSecond * BURST);
  let filledAt = now();
  let slowed = 1;
  let slowedAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | null = null;

  const rate = () => Math.max(0.01, perSecond * Math.min(1, Math.max(0, share())));

  const fill = () => {
    const at = now();
    const seconds = (at - filledAt) / 1000;
    filledAt = at;
    tokens = Math.min(Math.max(1, rate() * BURST), tokens + seconds * rate() * slowed);
    slowed = Math.min(1, slowed + seconds * RECOVERY);
  };

  const serve = () => {
    timer = null;
    fill();
    while (urgentLane.length > 0 && tokens >= 1 - Math.max(1, rate() * AHEAD)) {
      tokens -= 1;
      urgentLane.shift()?.resolve();
    }
    while (urgentLane.length === 0 && lane.length > 0 && tokens >= 1) {
      tokens -= 1;
      lane.shift()?.resolve();
    }
    if (urgentLane.length + lane.length > 0) {
      const wanted = urgentLane.length > 0 ? 1 - Math.max(1, rate() * AHEAD) : 1;
      // A long wait is looked at again within the second: the share may have grown meanwhile.
      timer = setTimeout(serve, Math.min(1_000, Math.max(1, ((wanted - tokens) / (rate() * slowed)) * 1000)));
    }
  };

  return {
    acquire(urgent, signal) {
      return new Promise<void>((resolve, reject) => {
        if (signal.aborted) return reject(aborted());
        const queue = urgent ? urgentLane : lane;
        const waiter: Waiter = {
          resolve: () => {
            signal.removeEventListener('abort', leave);
            resolve();
          },
        };
        const leave = () => {
          queue.splice(queue.indexOf(waiter), 1);
          reject(aborted());
        };
        signal.addEventListener('abort', leave, { once: true });
        queue.push(waiter);
        if (timer !== null) clearTimeout(timer);
        serve();
      });
    },
    throttled() {
      fill();
      if (now() - slowedAt < SAME_MOMENT) return;
      slowedAt = now();
      slowed = Math.max(SLOWEST, slowed / 2);
      tokens = Math.min(tokens, 0);
    },
  };
}

function aborted(): Error {
  return Object.assign(new Error('the call was cancelled while it waited for the budget'), { name: 'AbortError' });
}
