/** The types of the judge: counts in, state, verdict out. */
import type { Counts } from '../model/counts.js';
import type { Verdict } from '../model/rollout/verdict.js';
import type { JudgeRules } from '../model/spec.js';
import type { Arms, SequentialState } from './state.js';

export type { Counts } from '../model/counts.js';
export type { Verdict } from '../model/rollout/verdict.js';

/** What one source counted in a stretch of time that is closed: nothing will be added to it. */
export interface Tick {
  source: string;
  /** Rising within a source; a tick whose id is not above the last one taken is ignored, so that none counts twice. */
  id: number;
  /** Null: the source says nothing of this release. Missing is not zero. */
  stable: Counts | null;
  candidate: Counts | null;
  /** The source could be read, whatever it says of the candidate; a tick of the candidate shows that too. */
  seen?: true;
  /** Why the source could not be read, when it could not. Then the counts are null. */
  blind?: string;
}

/** What is known of a source from before the rollout; it is fixed before the first count. */
export interface Baseline {
  /** Requests and errors of the stable release. */
  counts: Counts;
  /** How often an error tends to repeat: variance over mean of its counts, 1 at least. Null: too little to say. */
  dispersion: number | null;
}

/** The judge's settings. Plain JSON. */
export interface JudgeSetup {
  rules: JudgeRules;
  /** By source. */
  baselines: Record<string, Baseline>;
  /** Sources that decide, each with an equal share of the evidence. What another one says is shown and never decides. */
  sources: string[];
  /** Those of them that count users' requests. While the candidate has traffic, they alone can show that it is well. */
  users: string[];
  /** Alarms that fired before the rollout. */
  firing: string[];
}

/** What the judge remembers, over all weights. Plain JSON, about 1 KB a source. */
export interface JudgeState {
  /** The candidate's weight, in percent, since which the counts of a weight are counted. */
  weight: number;
  sources: Record<string, SourceState>;
  /** Alarms that were seen, and what they mean for this rollout; how often in a row they could not be read, and why. */
  alarms: { states: Record<string, AlarmState>; unread: number; why: string | null };
  /** What made the candidate unhealthy, for ever; null while nothing did. */
  unhealthy: { why: string; probeBack: boolean } | null;
}

export interface SourceState {
  counts: SequentialState;
  /** Counts at this weight that the ceiling has not been held against yet. */
  gathered: Arms;
  /** The next tick is the first at this weight. */
  stepping: boolean;
  /** The candidate's side was read at least once. */
  read: boolean;
  /** Why it cannot be read now, as far as a person needs it; null while it can. */
  blindWhy: string | null;
}

/** `before`: it fires since before the rollout, and says nothing of the candidate until it has been quiet. */
export type AlarmState = 'quiet' | 'before' | 'fired';

/** The judge: pure, no clock, no I/O. */
export interface Judge {
  start(weight: number): JudgeState;
  /** The candidate's weight is `weight` percent from now on. */
  enter(state: JudgeState, weight: number): JudgeState;
  tick(state: JudgeState, tick: Tick): JudgeState;
  /** The alarms were read: by name, whether each fires. Or they could not be, and why. */
  alarms(state: JudgeState, said: Record<string, boolean> | { blind: string }): JudgeState;
  /** `unhealthy` may come at any time; the end of a bake uses `healthy`, `undecided`, `noData` and `blind`. */
  verdict(state: JudgeState): Verdict;
}
