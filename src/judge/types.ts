import type { HealthPolicy } from '../model/spec.js';
import type { VerdictState } from '../model/words.js';

/** Requests of one release, and those of them that were no good. */
export interface Counts {
  requests: number;
  errors: number;
  /** Answers slower than the metric's limit, where the source counts them. */
  slow?: number;
}

/**
 * Evidence from one source. A source either counts on (`add`: these came since its last tick, each tick once by its
 * `id`) or knows running totals that it may still correct (`total`: replaces what the source said before).
 */
export interface Tick {
  source: string;
  /** Rising within a source; a tick whose id is not above the last one seen is ignored. */
  id: number;
  mode: 'add' | 'total';
  /** Null: the source says nothing of this release. */
  stable: Counts | null;
  candidate: Counts | null;
  /** The source itself could be read, whatever it says of the candidate. */
  seen?: true;
  /** Why the source could not be read, when it could not. Then the counts are null. */
  blind?: string;
}

/** All the judge remembers; JSON under 1 KB for a handful of sources. */
export interface JudgeState {
  sources: Record<string, SourceState>;
}

export interface SourceState {
  lastId: number;
  stable: Counts | null;
  candidate: Counts | null;
  /** Whether the candidate's side was ever read. A source that never was cannot be part of a healthy verdict. */
  read: boolean;
  /** Ticks in a row that could not be read, and why. */
  blindTicks: number;
  blindWhy?: string;
}

export interface Verdict {
  state: VerdictState;
  /** One sentence with the numbers. */
  why: string;
  stable: Counts;
  candidate: Counts;
}

/**
 * The seam of the judge: pure, no clock, no I/O. Today's is the plain comparison (`comparison.ts`); a sequential test can
 * take its place without the watcher or the workflow changing.
 */
export interface Judge {
  start(): JudgeState;
  tick(state: JudgeState, tick: Tick): JudgeState;
  /** `unhealthy` may come at any time; `healthy`, `undecided`, `noData`, `blind` are what the end of a bake goes by. */
  verdict(state: JudgeState, policy: HealthPolicy): Verdict;
}
