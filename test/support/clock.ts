/** A clock that stands still until it is told to go on, so that hours take as long as what happens in them. */
import type { Clock } from '../../src/health/bounded.js';

export class SimulatedClock implements Clock {
  private at = 0;
  /** Who waits, by the moment that he waits for. */
  private readonly waiting = new Map<number, (() => void)[]>();

  now(): number {
    return this.at;
  }

  rest(signal: AbortSignal, ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = () => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      signal.addEventListener('abort', done, { once: true });
      const until = this.at + Math.max(0, ms);
      this.waiting.set(until, [...(this.waiting.get(until) ?? []), done]);
    });
  }

  /** Lets everything happen that is due until `until`, moment by moment, or until `over` says that nothing more will. */
  async goOn(until: number, over: () => boolean): Promise<void> {
    while (!over()) {
      // What was woken has done its work, and waits again, when the event loop has come round.
      await new Promise((resolve) => setImmediate(resolve));
      const next = Math.min(...this.waiting.keys());
      if (next > until) break;
      this.at = next;
      const due = this.waiting.get(next) ?? [];
      this.waiting.delete(next);
      for (const wake of due) wake();
    }
    if (!over()) this.at = until;
  }
}
