/** Emulated Azure: faults that a test or the chaos run can switch on. */
import { setTimeout as pause } from 'node:timers/promises';
import { empty, json } from '../http.js';
import type { Reaction } from './server.js';

/**
 * What happens to a call. `status`: it is refused so. `reset`: it never arrives. `lost`: it takes effect and its answer
 * never comes. `heldMs`: it arrives that much later. To the work behind an accepted call (`Swap`, `Deploy`): `fails` with a
 * sentence, `hangs` until the faults are cleared, or takes `heldMs` longer.
 */
export type Effect =
  | { status: number; headers?: Record<string, string>; body?: unknown }
  | { reset: true }
  | { lost: true }
  | { heldMs: number }
  | { fails: string }
  | { hangs: true };

/** The next `times` calls of any of these operations meet the effect. */
export interface FaultRule {
  operations: string[];
  /** Only writes to this site, where it is given. */
  site?: string;
  times: number;
  effect: Effect;
}

export class Faults {
  #rules: FaultRule[] = [];
  #struck = 0;
  #hanging: (() => void)[] = [];

  /** Replaces all rules. */
  set(rules: FaultRule[]): void {
    this.clear();
    this.#struck = 0;
    this.add(rules);
  }

  /** Adds rules to those that there are. */
  add(rules: FaultRule[]): void {
    this.#rules.push(...rules.map((rule) => ({ ...rule })));
  }

  /** Ends all faults; what hangs goes on. */
  clear(): void {
    this.#rules = [];
    for (const goOn of this.#hanging.splice(0)) goOn();
  }

  /** Calls that have met a fault since the last `set`. */
  struck(): number {
    return this.#struck;
  }

  /** One call through whatever waits for it; `site` is the one that it writes to. */
  async meet(
    operation: string,
    handle: () => Promise<Reaction>,
    gone: AbortSignal,
    site: string | null = null,
  ): Promise<Reaction> {
    const effect = this.#take(operation, site);
    if (effect === null) return handle();
    if ('status' in effect) {
      const { status, headers = {}, body } = effect;
      return body === undefined ? empty(status, headers) : json(status, body, headers);
    }
    if ('lost' in effect) {
      await handle();
      return 'reset';
    }
    if ('heldMs' in effect) {
      // A client that has left meanwhile has taken its request along.
      await pause(effect.heldMs, undefined, { signal: gone }).catch(() => undefined);
      return gone.aborted ? 'reset' : handle();
    }
    return 'reset';
  }

  /** What the work behind an accepted call meets: a sentence to fail with, or null after having hung for as long as it must. */
  async meetWork(operation: string): Promise<string | null> {
    const effect = this.#take(operation);
    if (effect === null) return null;
    if ('fails' in effect) return effect.fails;
    if ('hangs' in effect) await new Promise<void>((resolve) => this.#hanging.push(resolve));
    if ('heldMs' in effect) await pause(effect.heldMs);
    return null;
  }

  #take(operation: string, at: string | null = null): Effect | null {
    const rule = this.#rules.find(
      ({ operations, times, site = at }) => times > 0 && operations.includes(operation) && site === at,
    );
    if (rule === undefined) return null;
    rule.times -= 1;
    this.#struck += 1;
    return rule.effect;
  }
}
