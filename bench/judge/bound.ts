/** How few failed requests any judge can do with, and what a feed's delay adds. Pure. */

/** What is to be told apart: error rates (0-1) of stable and candidate, at the candidate's share (0-1) of the requests. */
export interface Split {
  stable: number;
  candidate: number;
  weight: number;
  /** Chance (0-1) of a false alarm. */
  alpha: number;
}

/**
 * Failed requests of the candidate that any test needs on average when all it knows of stable is what it sees beside the candidate:
 * p1 * w ln(1/alpha) / (w KL(p1 || q) + (1 - w) KL(p0 || q)), q = w p1 + (1 - w) p0.
 *
 * Source: Wald, "Sequential Tests of Statistical Hypotheses", 1945.
 */
export function concurrentBound({ stable, candidate, weight, alpha }: Split): number {
  const pooled = weight * candidate + (1 - weight) * stable;
  const perRequest = weight * divergence(candidate, pooled) + (1 - weight) * divergence(stable, pooled);
  return (candidate * weight * -Math.log(alpha)) / perRequest;
}

/** Failed requests while a stretch of `tick` seconds closes and its `delay` in seconds passes: no judge has counts before. */
export function feedFloor(feed: {
  rate: number;
  weight: number;
  candidate: number;
  tick: number;
  delay: number;
}): number {
  return feed.rate * feed.weight * feed.candidate * (feed.tick + feed.delay);
}

/** Kullback-Leibler divergence of two Bernoulli distributions, in nats. */
function divergence(p: number, q: number): number {
  return part(p, q) + part(1 - p, 1 - q);
}

function part(p: number, q: number): number {
  return p === 0 ? 0 : p * Math.log(p / q);
}
