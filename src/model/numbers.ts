/** Numbers as a person reads them. */

/** `20 %`, `0.4 %`: as many digits as tell something. */
export function percent(rate: number): string {
  const value = rate * 100;
  return `${value === 0 || value >= 10 ? Math.round(value) : Number(value.toPrecision(2))} %`;
}

/** `37,080`; a fraction is rounded. */
export function grouped(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `510`, `37,000`: an estimate of a count, the same wherever it is shown. */
export function estimate(count: number): string {
  return grouped(Number(count.toPrecision(2)));
}

/** `1.5`, `9`, `120`: two digits. */
export function roughly(value: number): string {
  return value >= 10 ? grouped(value) : String(Number(value.toPrecision(2)));
}

/** Odds of e^logE to one: `1 : 2,400`, `1 : 0.3`, `1 : 10^52`. */
export function odds(logE: number): string {
  // Above a million only the size says something.
  if (logE > Math.log(1e6)) return `1 : 10^${grouped(logE / Math.LN10)}`;
  const value = Math.exp(logE);
  if (value >= 100) return `1 : ${grouped(Number(value.toPrecision(2)))}`;
  return `1 : ${Number(value.toPrecision(value < 0.1 ? 1 : 2))}`;
}

/**
 * `1 : 2,400 (unhealthy at 1 : 100)`: how improbable the counts would be at most if the candidate were no worse, and the
 * limit; `none` while they speak for it.
 */
export function evidence({ logE, limit }: { logE: number; limit: number }): string {
  return `${logE > 0 ? odds(logE) : 'none'} (unhealthy at ${odds(limit)})`;
}
