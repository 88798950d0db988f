/** Bounds on one release's error rate that hold at all times together. */

import type { Counts } from '../model/counts.js';
import { divergence, PLAIN_PRIOR, type Prior, priceOfIgnorance } from './beta-binomial.js';
import { bisect } from './bisect.js';

/** Shares, 0-1. */
export interface Bounds {
  lower: number;
  upper: number;
}

/**
 * The rates p with ln M(p) < ln(1 / alpha): a confidence sequence. The chance that a constant rate is ever outside, over all looks,
 * is alpha (0-1) at most. No request: 0 and 1. No error: the lower one is 0; all errors: the upper one is 1.
 *
 * Source: Robbins 1970; Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences", 2021.
 */
export function oneArmBounds(counts: Counts, alpha: number, priors: readonly Prior[] = PLAIN_PRIOR): Bounds {
  const { requests, errors } = counts;
  if (requests <= 0) return { lower: 0, upper: 1 };
  const seen = errors / requests;
  const allowed = -Math.log(alpha) - priceOfIgnorance(counts, priors);
  const outside = (p: number) => divergence(counts, p) >= allowed;
  return {
    lower: errors <= 0 ? 0 : bisect(0, seen, outside),
    upper: errors >= requests ? 1 : bisect(seen, 1, (p) => !outside(p)),
  };
}
