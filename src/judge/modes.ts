/** From counts to a bet of the kernel: what is counted, and what would be fair. Pure arithmetic. */
import type { Bet } from './kernel.js';
import type { Counts } from './types.js';

const NOTHING: Bet = { bad: 0, total: 0, expected: 0 };

/**
 * Errors, or slow answers, against those of the stable release in the same look:
 * bad = e_c, total = e_c + e_b, expected = o n_c / (n_b + o n_c).
 *
 * Null hypothesis: odds(p_c) <= o odds(p_b) in every look, whatever the rates do over time. Given the errors of a look, those of
 * the candidate are hypergeometric, which the kernel's binomial factor dominates; for o > 1 Fisher's noncentral hypergeometric
 * is a sum of independent Bernoullis with a mean of total x expected at most. Needs requests of both releases; otherwise it abstains.
 *
 * Sources: Hoeffding 1963, section 6; Lindon and Malek, "Anytime-Valid Inference for Multinomial Count Data", 2022.
 */
export function relative(candidate: Counts, stable: Counts, nullOdds = 1): Bet {
  if (candidate.requests <= 0 || stable.requests <= 0) return NOTHING;
  const weighed = nullOdds * candidate.requests;
  return {
    bad: candidate.errors,
    total: candidate.errors + stable.errors,
    expected: weighed / (stable.requests + weighed),
  };
}

/**
 * Errors against a rate that no release may pass: bad = e_c, total = n_c, expected = p0.
 *
 * Null hypothesis: p_c <= p0 in every look used. A look in which stable itself is over p0 is an outage that both share: it says
 * nothing about the candidate, and the test abstains.
 *
 * Source: Wald, "Sequential Tests of Statistical Hypotheses", 1945.
 */
export function ceiling(candidate: Counts, stable: Counts, highest: number): Bet {
  if (stable.requests > 0 && stable.errors > highest * stable.requests) return NOTHING;
  return { bad: candidate.errors, total: candidate.requests, expected: highest };
}

/**
 * Events that have no number of requests (throttles, dead letters, lines in a log): bad = x_c, total = x_c + x_b, expected = the
 * candidate's share (0-1) of the traffic in that look.
 *
 * Null hypothesis: the Poisson rate for each unit of traffic is not higher than stable's.
 *
 * Source: Lindon and Malek 2022.
 */
export function events(candidate: number, stable: number, share: number): Bet {
  return { bad: candidate, total: candidate + stable, expected: share };
}

/** Answers by latency: how many fell into each bucket, the last one above all bounds. */
export interface Histogram {
  /** Upper bounds of all buckets but the last, rising, in milliseconds. */
  bounds: readonly number[];
  counts: readonly number[];
}

/**
 * Answers slower than `threshold` (milliseconds, one of the bounds) in the place of errors, for {@link relative}: the median and the
 * tail of the latency become plain counts, without any assumption on its distribution. The threshold must be chosen before the rollout.
 *
 * Source: Howard and Ramdas, "Sequential estimation of quantiles with applications to A/B testing", 2022.
 */
export function slower({ bounds, counts }: Histogram, threshold: number): Counts {
  const last = bounds.indexOf(threshold);
  if (last === -1) throw new RangeError(`${threshold} ms is not one of the bounds ${bounds.join(', ')}`);
  const requests = counts.reduce((sum, count) => sum + count, 0);
  const errors = counts.slice(last + 1).reduce((sum, count) => sum + count, 0);
  return { requests, errors };
}
