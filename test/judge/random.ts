/** Chance with a seed, so that the shares a test sees are the same each time. */

/** mulberry32: numbers from 0 to 1. */
export function seeded(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

// A test's globals are looked up anew with each use, which is slow where there are millions.
const { floor, log1p } = Math;

/** How many of `n` trials succeed, by the waiting times between successes. */
export function binomial(n: number, p: number, random: () => number): number {
  if (p <= 0) return 0;
  if (p >= 1) return n;
  const perTrial = log1p(-p);
  let successes = 0;
  for (let at = 0; ; successes += 1) {
    at += 1 + floor(log1p(-random()) / perTrial);
    if (at > n) return successes;
  }
}

/** Chance of at least `x` successes in `n` trials. */
export function atLeast(x: number, n: number, p: number): number {
  let term = (1 - p) ** n;
  let below = 0;
  for (let k = 0; k < x; k += 1) {
    below += term;
    term *= ((n - k) / (k + 1)) * (p / (1 - p));
  }
  return 1 - below;
}
