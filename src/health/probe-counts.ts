/** A probe's calls of both releases, gathered into ticks that hold both: only then can one be compared with the other. */
import type { Counts } from '../judge/types.js';
import type { Arm } from '../model/words.js';

/** Shortest tick, in ms: twenty calls a second need no more than four looks. */
const SHORTEST = 250;

/** ms between two looks, where there are `every` ms between two calls of a release. */
export function lookEvery(every: number): number {
  return Math.max(SHORTEST, every);
}

export class ProbeCounts {
  private counts: Partial<Record<Arm, Counts>> = {};
  private waited = 0;

  /** `arms`: the releases that are called. */
  constructor(private readonly arms: readonly Arm[]) {}

  add(arm: Arm, ok: boolean): void {
    const { requests, errors } = this.counts[arm] ?? { requests: 0, errors: 0 };
    this.counts[arm] = { requests: requests + 1, errors: errors + (ok ? 0 : 1) };
  }

  /**
   * The counts since the last tick, when they make one: answers of every release, or of some after a second look (one that hangs
   * must not hide the other). Null: not yet. It never looks at how many failed, so that no outcome chooses its tick.
   */
  look(): { stable: Counts | null; candidate: Counts | null } | null {
    this.waited += 1;
    const answered = this.arms.filter((arm) => this.counts[arm] !== undefined);
    if (answered.length === 0 || (answered.length < this.arms.length && this.waited < 2)) return null;
    return this.close();
  }

  /** What there is, at the end. */
  close(): { stable: Counts | null; candidate: Counts | null } {
    const { stable = null, candidate = null } = this.counts;
    this.counts = {};
    this.waited = 0;
    return { stable, candidate };
  }
}
