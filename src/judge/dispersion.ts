/** How much errors come in clusters: one client that retries, an event that is delivered three times. */

/** Fewer looks tell nothing of a variance. */
const FEWEST_TICKS = 60;

/**
 * phi = max(1, variance / mean) of stable's error counts per tick before the rollout, for {@link Stakes.dispersion}. Rates that change over
 * time only make it larger, which is safe. Null for fewer than 60 ticks; 1 when there was no error.
 *
 * Source: Wedderburn, "Quasi-likelihood functions, generalized linear models, and the Gauss-Newton method", 1974.
 */
export function dispersion(errorsPerTick: readonly number[]): number | null {
  const ticks = errorsPerTick.length;
  if (ticks < FEWEST_TICKS) return null;
  const mean = errorsPerTick.reduce((sum, errors) => sum + errors, 0) / ticks;
  if (mean === 0) return 1;
  const squares = errorsPerTick.reduce((sum, errors) => sum + (errors - mean) ** 2, 0);
  return Math.max(1, squares / (ticks - 1) / mean);
}
