/**
 * The e-process of one release's error rate p: for e errors in n requests,
 *
 *   M(p) = sum over priors of weight B(a + e, b + n - e) / B(a, b)  /  ( p^e (1 - p)^(n - e) )
 *
 * the likelihood of the counts under a Beta mixture over that under p. While p is the true rate, M(p) is a martingale from 1, and so
 * seldom large (Ville 1939; Robbins, "Statistical methods related to the law of the iterated logarithm", 1970).
 *
 * It is computed as ln M(p) = rest + D(p), where D(p) = n KL(e/n || p) >= 0 is how far p is from what was seen and the rest is the
 * price of not having known e/n. Each part is exact to many digits at a billion requests; ln B and e ln p apart are not.
 */

import type { Counts } from '../model/counts.js';
import { logBeta, logBetaRest, logShare } from './gamma.js';
import { logSum } from './logs.js';

/** One Beta(a, b) of a mixture; the weights sum to 1. */
export interface Prior {
  weight: number;
  a: number;
  b: number;
}

/** Mean 1 % with the weight of fifty requests: near what services have, and soon outweighed. */
export const PLAIN_PRIOR: readonly Prior[] = [{ weight: 1, a: 0.5, b: 49.5 }];

/** D(p) = e ln((e/n) / p) + (n - e) ln((1 - e/n) / (1 - p)), in nats; 0 for no requests, Infinity where p is impossible. */
export function divergence({ requests, errors }: Counts, p: number): number {
  if (requests <= 0) return 0;
  const difference = errors / requests - p;
  const good = requests - errors;
  const ofErrors = errors > 0 ? errors * Math.log1p(difference / p) : 0;
  const ofGood = good > 0 ? good * Math.log1p(-difference / (1 - p)) : 0;
  // Rounding alone can make it negative.
  return Math.max(0, ofErrors + ofGood);
}

/** ln M(e/n), 0 at most: ln of the mixture's likelihood over the greatest one. */
export function priceOfIgnorance(counts: Counts, priors: readonly Prior[]): number {
  return logSum(priors.map((prior) => Math.log(prior.weight) + priceOfPrior(counts, prior)));
}

/**
 * ln( B(a + e, b + n - e) / B(a, b) ) - e ln(e/n) - (n - e) ln(1 - e/n). With x = a + e, y = b + n - e, s = x + y the large parts are
 * e ln((x/s) / (e/n)) and its counterpart; with d = a n - e (a + b) these are e ln(1 + d / (e s)) and (n - e) ln(1 - d / ((n - e) s)).
 */
function priceOfPrior({ requests, errors }: Counts, { a, b }: Prior): number {
  const good = requests - errors;
  const x = a + errors;
  const y = b + good;
  const s = x + y;
  const d = a * good - b * errors;
  const large =
    (errors > 0 ? errors * Math.log1p(d / (errors * s)) : 0) + (good > 0 ? good * Math.log1p(-d / (good * s)) : 0);
  const small = (a - 0.5) * logShare(x, y, s) + (b - 0.5) * logShare(y, x, s);
  return large + small + logBetaRest(x, y) - logBeta(a, b);
}

/** ln M(p). */
export function logMartingale(counts: Counts, p: number, priors: readonly Prior[]): number {
  return priceOfIgnorance(counts, priors) + divergence(counts, p);
}
