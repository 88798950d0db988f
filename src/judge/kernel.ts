/**
 * The kernel of the sequential judge: a betting e-process over odds ratios, with a cash account.
 *
 * A bet says that `bad` of `total` bad events were the candidate's where a share `expected` of them would be if the candidate
 * were no worse. Expert j bets that the odds are r_j times as high. Its wealth is multiplied by
 *
 *   ( r_j^bad / (1 + (r_j - 1) expected)^total )^(1 / phi)
 *
 * which is 1 at most on average while the candidate is no worse, whatever came before. A part of the money is kept as cash, and
 * a share of it is staked with each bet and with each rise of the weight, so that a candidate that turns bad late is found as soon
 * as one that was bad from the start. The total wealth E begins at 1 and is a non-negative supermartingale: the chance that it
 * ever reaches 1 / alpha is alpha at most (Ville 1939), however often one looks.
 *
 * Sources: Ville, "Etude critique de la notion de collectif", 1939; Hoeffding, "Probability Inequalities for Sums of Bounded
 * Random Variables", 1963, section 6 (sampling without replacement is dominated); Herbster and Warmuth, "Tracking the Best
 * Expert", 1998 (the stakes); Shin, Ramdas and Rinaldo, "E-detectors", 2022 (starts at every time); Waudby-Smith and Ramdas,
 * "Estimating means of bounded random variables by betting", 2024.
 */
import { logAdd, logSum } from './logs.js';

/** What is bet, and how much. Shares are 0-1. */
export interface Stakes {
  /** r_j: the odds ratios bet on, each above 0. */
  ratios: readonly number[];
  /** q_j: how a stake is split over them; sums to 1. */
  weights: readonly number[];
  /** Share of the money staked at the start; below 1. */
  atStart: number;
  /** Share of the cash staked when the weight goes up. */
  atStep: number;
  /** Share of the cash staked with any other bet that has events. */
  perBet: number;
  /** phi: variance over mean of the error counts, 1 when errors come one by one. */
  dispersion: number;
}

/** Natural logarithms: first of the cash, then of what each expert has. As JSON it reads back as the same numbers. */
export type Wealth = readonly number[];

/** What one look at one metric bets on. Counts may be fractions. */
export interface Bet {
  /** k: events of the candidate, `total` at most. */
  bad: number;
  /** N: all events; 0 leaves E as it is. */
  total: number;
  /** theta0: the share (0-1) of them that is the candidate's when it is no worse. */
  expected: number;
}

export interface Kernel {
  /** E = 1. */
  start(): Wealth;
  /** The wealth after a bet; `stepUp`: the candidate's weight went up with it. The wealth before stays as it is. */
  bet(before: Wealth, bet: Bet, stepUp: boolean): Wealth;
}

/** The kernel with its constants computed once. */
export function kernel(stakes: Stakes): Kernel {
  const { atStart, atStep, perBet, dispersion } = stakes;
  const size = stakes.ratios.length;
  const logRatios = stakes.ratios.map(Math.log);
  const gains = stakes.ratios.map((ratio) => ratio - 1);
  const logWeights = stakes.weights.map(Math.log);
  const onStep = { log: Math.log(atStep), kept: Math.log1p(-atStep) };
  const onBet = { log: Math.log(perBet), kept: Math.log1p(-perBet) };

  return {
    start: () => [Math.log1p(-atStart), ...logWeights.map((weight) => Math.log(atStart) + weight)],

    bet(before, { bad, total, expected }, stepUp) {
      const stake = stepUp ? onStep : onBet;
      const cash = before[0] as number;
      const staked = (stepUp || total > 0) && stake.kept < 0 && cash > Number.NEGATIVE_INFINITY;
      if (!staked && total <= 0) return before;
      const wealth: number[] = new Array(size + 1);
      wealth[0] = staked ? cash + stake.kept : cash;
      for (let j = 0; j < size; j += 1) {
        let log = before[j + 1] as number;
        if (staked) log = logAdd(log, cash + stake.log + (logWeights[j] as number));
        if (total > 0) {
          const fair = total * Math.log1p((gains[j] as number) * expected);
          log += (bad * (logRatios[j] as number) - fair) / dispersion;
        }
        wealth[j + 1] = log;
      }
      return wealth;
    },
  };
}

/** ln E: all wealth together. */
export function logEvidence(wealth: Wealth): number {
  return logSum(wealth);
}

/** Which expert is the richest, from 0: its ratio is the estimate of the odds ratio. */
export function leader(wealth: Wealth): number {
  let richest = 1;
  for (let j = 2; j < wealth.length; j += 1) {
    if ((wealth[j] as number) > (wealth[richest] as number)) richest = j;
  }
  return richest - 1;
}
