/** The sequential judge's settings, and their defaults, each with its reason. */

import type { Counts } from '../model/counts.js';
import { oneArmBounds } from './bounds.js';
import type { Stakes } from './kernel.js';

export const METRICS = ['relative', 'ceiling', 'latency'] as const;
/**
 * `relative`: errors against stable's. `ceiling`: errors against a rate no release may pass.
 * `latency`: answers slower than a limit, against stable's.
 */
export type Metric = (typeof METRICS)[number];

/** Rates, shares and chances are 0-1. */
export interface SequentialRules {
  /** Chance that a candidate that is no worse is ever called unhealthy, over all looks, weights and metrics together. */
  alpha: number;
  /** Chance that a candidate that is worse by `margin` is called healthy at a weight. */
  beta: number;
  /** How much worse than stable a healthy candidate's rate may be at most. */
  margin: number;
  /** Error rate that no release may pass. */
  ceiling: number;
  /** How many times stable's odds of an error the candidate's may be. */
  nullOdds: number;
  /** Fewest requests of the candidate at a weight before it can be healthy. */
  minRequests: number;
  /** Fewest bad events of the candidate, in the metric that shows harm, before it can be unhealthy. */
  minErrors: number;
  /** Least difference of the rates at this weight before it can be unhealthy; 0 asks for none. */
  minEffect: number;
  /** How the evidence is split over the metrics; sums to 1. */
  weights: Readonly<Record<Metric, number>>;
  stakes: Stakes;
  /** Stable's counts before the rollout. */
  history: Counts | null;
}

/** What is to be said; the rest has a default. */
export type RulesChoice = Partial<Omit<SequentialRules, 'stakes'>> & { stakes?: Partial<Stakes> };

const DEFAULT_STAKES: Stakes = {
  /** From a slight rise to an outage; the steps are small where a mistake costs most requests. */
  ratios: [1.5, 2, 3, 5, 10, 30, 100, 1000],
  /** A bad release is seldom a little bad. */
  weights: [0.1, 0.1, 0.1, 0.15, 0.15, 0.15, 0.15, 0.1],
  /** Most bad releases are bad from their first request. */
  atStart: 0.75,
  /** And most others turn bad when the load rises. */
  atStep: 0.25,
  /** Half of the cash is still there after 138 looks. */
  perBet: 0.005,
  /** Errors that come one by one. */
  dispersion: 1,
};

const DEFAULTS = {
  /** One good release in a hundred at most is rolled back for nothing. */
  alpha: 0.01,
  /** Every weight asks again, so a bad release has to pass several times. */
  beta: 0.05,
  /** No worse than stable. */
  nullOdds: 1,
  /** Fewer say nothing of a tail. */
  minRequests: 100,
  /** One error is an accident. */
  minErrors: 2,
  minEffect: 0,
  /** Half for the question asked most; each of the others needs twice the evidence. */
  weights: { relative: 0.5, ceiling: 0.25, latency: 0.25 },
} as const;

/** One percentage point: less is seldom noticed, and takes thousands of requests to exclude. */
const LEAST_DELTA = 0.01;
/** A ceiling below one percent would be passed by chance where there are few requests. */
const LEAST_CEILING = 0.01;
/** How far over what stable may have been. */
const CEILING_FACTOR = 3;
/** One failed request in twenty is too many, whatever a service did before. */
const CEILING_WITHOUT_HISTORY = 0.05;
/** Chance that stable's rate before the rollout was higher than the bound the ceiling is made of. */
const HISTORY_ALPHA = 0.05;

/** The rules with its defaults; those of `margin` and `ceiling` come from stable's counts before the rollout. */
export function rulesFrom(choice: RulesChoice = {}): SequentialRules {
  const history = choice.history ?? null;
  return {
    ...DEFAULTS,
    margin: defaultMargin(history),
    ceiling: defaultCeiling(history),
    ...choice,
    history,
    stakes: { ...DEFAULT_STAKES, ...choice.stakes },
  };
}

/** One percentage point, or stable's rate where that is more. */
export function defaultMargin(history: Counts | null): number {
  if (history === null || history.requests <= 0) return LEAST_DELTA;
  // A margin of 1 would ask nothing.
  return Math.min(0.5, Math.max(LEAST_DELTA, history.errors / history.requests));
}

/** max(1 %, 3 times the upper bound (alpha 0.05) of stable's rate before the rollout); 5 % when nothing is known of it. */
export function defaultCeiling(history: Counts | null): number {
  if (history === null || history.requests <= 0) return CEILING_WITHOUT_HISTORY;
  const { upper } = oneArmBounds(history, HISTORY_ALPHA);
  return Math.min(1, Math.max(LEAST_CEILING, CEILING_FACTOR * upper));
}
