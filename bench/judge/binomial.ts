/** The exact test of a share. */

/** Chance of at least `x` successes in `n` trials of chance `p` (0 < p < 1). Summed from the logarithm, so that no (1 - p)^n vanishes. */
export function atLeast(x: number, n: number, p: number): number {
  let logTerm = n * Math.log1p(-p);
  const logOdds = Math.log(p) - Math.log1p(-p);
  let sum = x <= 0 ? Math.exp(logTerm) : 0;
  for (let k = 0; k < n; k += 1) {
    logTerm += Math.log((n - k) / (k + 1)) + logOdds;
    if (k + 1 >= x) sum += Math.exp(logTerm);
  }
  return Math.min(1, sum);
}
