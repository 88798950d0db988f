/** Early promotion: proof that the candidate is worse by less than a margin, if at all. */
import { divergence, PLAIN_PRIOR, type Prior, priceOfIgnorance } from './beta-binomial.js';
import { bisect } from './bisect.js';
import { rateOf } from './rates.js';
import type { Counts } from './types.js';

export interface Priors {
  candidate: readonly Prior[];
  stable: readonly Prior[];
}

export interface NonInferiority {
  /** ln E against "the candidate's rate is stable's plus the margin, or more". */
  logE: number;
  /** Stable's rate (0-1) at which the counts fit that best. */
  rate: number;
  /** The part of logE that grows in proportion to the requests, in nats. */
  divergence: number;
}

/** Requests' worth of weight that the rate before the rollout gets. */
const HISTORY_WEIGHT = { candidate: 500, stable: 5_000 } as const;

/**
 * Half on services as they usually are, half on the rate before the rollout; fixed before the first count, so valid however wrong it is.
 * Without a history only the first: a = 1/2 + K p_h, b = 99/2 + K (1 - p_h), K at most the requests of the history.
 */
export function priorsFrom(history: Counts | null): Priors {
  if (history === null || history.requests <= 0) return { candidate: PLAIN_PRIOR, stable: PLAIN_PRIOR };
  const rate = history.errors / history.requests;
  const mixture = (most: number): Prior[] => {
    const weight = Math.min(most, history.requests);
    return [
      ...PLAIN_PRIOR.map((prior) => ({ ...prior, weight: 0.5 })),
      { weight: 0.5, a: 0.5 + weight * rate, b: 49.5 + weight * (1 - rate) },
    ];
  };
  return { candidate: mixture(HISTORY_WEIGHT.candidate), stable: mixture(HISTORY_WEIGHT.stable) };
}

/**
 * ln E = min over 0 <= p <= 1 - margin of ln M_candidate(p + margin) + ln M_stable(p). While the candidate is worse by the margin or
 * more, and both rates are constant, the chance that it ever reaches ln(1 / beta) is beta at most.
 * Null: the candidate has no requests, or the counts themselves show it worse by the margin (0-1).
 * Without requests of stable it asks whether the candidate's rate is under the margin.
 *
 * Sources: Turner, Ly and Grunwald, "Safe Tests and Always-Valid Confidence Intervals for contingency tables and beyond", 2021;
 * Ramdas, Grunwald, Vovk and Shafer, "Game-theoretic statistics and safe anytime-valid inference", 2023.
 */
export function nonInferiority(
  candidate: Counts,
  stable: Counts,
  margin: number,
  priors: Priors,
): NonInferiority | null {
  if (candidate.requests <= 0) return null;
  const seen = rateOf(stable);
  if (rateOf(candidate) - seen >= margin) return null;
  // The candidate's part falls up to its rate less the margin, stable's part rises from its rate on: the minimum is between them.
  const high = Math.min(seen, 1 - margin);
  const low = Math.min(high, Math.max(0, rateOf(candidate) - margin));
  const rate = bisect(low, high, (p) => slope(candidate, p + margin) + slope(stable, p) < 0);
  const distance = divergence(candidate, Math.min(1, rate + margin)) + divergence(stable, rate);
  return { logE: price(candidate, stable, priors) + distance, rate, divergence: distance };
}

/**
 * How many more requests of the candidate until ln E reaches ln(1 / beta), if all rates and shares stay as they are. The divergence
 * grows in proportion to the requests and the price of ignorance with their logarithm, so a few rounds of
 * factor = (ln(1 / beta) - price(factor)) / divergence settle it. Null when the counts do not point that way.
 */
export function moreRequests(
  candidate: Counts,
  stable: Counts,
  now: NonInferiority | null,
  beta: number,
  priors: Priors,
): number | null {
  const wanted = -Math.log(beta);
  if (now === null || !(now.divergence > 0)) return null;
  if (now.logE >= wanted) return 0;
  let factor = 1;
  for (let round = 0; round < 4; round += 1) {
    const paid = price(times(candidate, factor), times(stable, factor), priors);
    factor = Math.max(1, (wanted - paid) / now.divergence);
  }
  return Math.max(1, Math.ceil((factor - 1) * candidate.requests));
}

function price(candidate: Counts, stable: Counts, priors: Priors): number {
  return priceOfIgnorance(candidate, priors.candidate) + priceOfIgnorance(stable, priors.stable);
}

/** The derivative of {@link divergence} by p. */
function slope({ requests, errors }: Counts, p: number): number {
  const ofGood = requests > errors ? (requests - errors) / (1 - p) : 0;
  return errors > 0 ? ofGood - errors / p : ofGood;
}

function times({ requests, errors }: Counts, factor: number): Counts {
  return { requests: requests * factor, errors: errors * factor };
}
