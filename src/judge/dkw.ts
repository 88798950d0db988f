/** Bounds on a whole distribution of latencies; for reports, the judge itself counts slow answers. */

/**
 * Half the height of a band around the empirical distribution function of `answers` answers that holds at all times together with a
 * chance of 1 - alpha: 0.85 sqrt( (ln(1 + ln t) + 0.8 ln(1612 / alpha)) / t ). Infinity without an answer.
 *
 * Source: Howard and Ramdas, "Sequential estimation of quantiles with applications to A/B testing and best-arm identification", 2022.
 */
export function dkwBound(answers: number, alpha: number): number {
  if (answers < 1) return Number.POSITIVE_INFINITY;
  return 0.85 * Math.sqrt((Math.log1p(Math.log(answers)) + 0.8 * Math.log(1612 / alpha)) / answers);
}

/** Greatest F_stable - F_candidate over the inner bounds of their buckets: how much slower the candidate is, 0-1. */
export function greatestDrop(candidate: readonly number[], stable: readonly number[]): number {
  const all = [sum(candidate), sum(stable)] as const;
  if (all[0] <= 0 || all[1] <= 0) return 0;
  const below = [0, 0];
  let greatest = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < candidate.length - 1; at += 1) {
    below[0] = (below[0] ?? 0) + (candidate[at] ?? 0);
    below[1] = (below[1] ?? 0) + (stable[at] ?? 0);
    greatest = Math.max(greatest, (below[1] ?? 0) / all[1] - (below[0] ?? 0) / all[0]);
  }
  return greatest;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}
