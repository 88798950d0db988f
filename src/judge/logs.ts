/** Sums of numbers that are kept as their natural logarithms. -Infinity is the logarithm of nothing. */

/** ln(e^a + e^b). */
export function logAdd(a: number, b: number): number {
  if (a === b) return a + Math.LN2;
  return a > b ? a + Math.log1p(Math.exp(b - a)) : b + Math.log1p(Math.exp(a - b));
}

/** ln of the sum of e^x over `terms`; -Infinity for none. */
export function logSum(terms: readonly number[]): number {
  let greatest = Number.NEGATIVE_INFINITY;
  for (const term of terms) if (term > greatest) greatest = term;
  if (!Number.isFinite(greatest)) return greatest;
  let sum = 0;
  for (const term of terms) sum += Math.exp(term - greatest);
  return greatest + Math.log(sum);
}

/** Shares that sum to 1 do so but for rounding; this much evidence is none, in nats. */
const NOISE = 1e-9;

/** Evidence without what rounding has added: none is exactly 0. */
export function settled(logE: number): number {
  return Math.abs(logE) < NOISE ? 0 : logE;
}
