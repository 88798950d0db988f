/** The Beta function by Stirling's series, without the cancellation that differences of ln Gamma have at large counts. */

/** B_2k / (2k (2k - 1)): the coefficients of x^-1, x^-3, ... in Stirling's series. */
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360_360, 1 / 156];
/** From here on the first term left out is under 3e-17. */
const SERIES_FROM = 10;
const HALF_LOG_TWO_PI = Math.log(2 * Math.PI) / 2;

/**
 * Binet's remainder mu(x) = ln Gamma(x) - ((x - 1/2) ln x - x + ln(2 pi) / 2) for x > 0, absolute error about 1e-15.
 * Below 10 by the recurrence mu(x) = mu(x + 1) + (x + 1/2) ln(1 + 1/x) - 1.
 *
 * Source: Abramowitz and Stegun, "Handbook of Mathematical Functions", 6.1.15 and 6.1.40.
 */
export function stirlingRemainder(x: number): number {
  let steps = 0;
  let at = x;
  for (; at < SERIES_FROM; at += 1) steps += (at + 0.5) * Math.log1p(1 / at) - 1;
  const inverse = 1 / at;
  const square = inverse * inverse;
  let series = 0;
  for (let k = STIRLING.length - 1; k >= 0; k -= 1) series = series * square + (STIRLING[k] ?? 0);
  return steps + series * inverse;
}

/** ln B(x, y) - (x - 1/2) ln(x / s) - (y - 1/2) ln(y / s) with s = x + y: all of ln B that does not grow with x and y but by ln s. */
export function logBetaRest(x: number, y: number): number {
  const s = x + y;
  const remainders = stirlingRemainder(x) + stirlingRemainder(y) - stirlingRemainder(s);
  return HALF_LOG_TWO_PI - 0.5 * Math.log(s) + remainders;
}

/** ln B(x, y) = ln(Gamma(x) Gamma(y) / Gamma(x + y)) for x, y > 0. */
export function logBeta(x: number, y: number): number {
  const s = x + y;
  return (x - 0.5) * logShare(x, y, s) + (y - 0.5) * logShare(y, x, s) + logBetaRest(x, y);
}

/** ln(part / s), exact too when the part is nearly all. */
export function logShare(part: number, rest: number, s: number): number {
  return rest < part ? Math.log1p(-rest / s) : Math.log(part / s);
}
