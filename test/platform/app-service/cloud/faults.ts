import type { Reply } from './cloud.js';

/** What happens to a call. `lost`: it takes effect and its answer never comes. `held`: it arrives that many ms later. */
export type Effect = { reply: Reply } | { reset: true } | { lost: true } | { held: number };

interface Rule {
  operations: string[];
  times: number;
  effect: Effect;
}

export class Faults {
  /** Calls that have met a fault since the last `set`. */
  struck = 0;
  private rules: Rule[] = [];

  /** The next `times` calls of any of these operations. */
  set(operations: string[], times: number, effect: Effect): void {
    this.struck = 0;
    this.rules = [{ operations, times, effect }];
  }

  clear(): void {
    this.rules = [];
  }

  async meet(operation: string, handle: () => Reply, signal: AbortSignal | undefined): Promise<Reply> {
    const rule = this.rules.find(({ operations, times }) => times > 0 && operations.includes(operation));
    if (rule === undefined) return handle();
    rule.times -= 1;
    this.struck += 1;
    const { effect } = rule;
    if ('reply' in effect) return effect.reply;
    if ('reset' in effect) throw reset();
    if ('lost' in effect) {
      handle();
      throw reset();
    }
    await later(effect.held, signal);
    return handle();
  }
}

function reset(): Error {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
}

function later(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(Object.assign(new Error('aborted'), { name: 'AbortError' }));
    });
  });
}
