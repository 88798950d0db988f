/** The evidence in words. Pure. */

/**
 * `1 : 2,400 of 1 : 100`: how improbable the counts are at most if the candidate were no worse, against the limit at which that
 * is held against it.
 */
export function evidence({ logE, limit }: { logE: number; limit: number }): string {
  return `${odds(logE)} of ${odds(limit)}`;
}

/** 1 : E. Under 1 there is no evidence at all. */
export function odds(logE: number): string {
  const e = Math.exp(Math.min(logE, 60));
  if (e < 10) return `1 : ${Math.max(1, Math.round(e * 10) / 10)}`;
  return e < 1e6 ? `1 : ${grouped(Math.round(e))}` : `1 : 10^${Math.floor(logE / Math.LN10)}`;
}

/** 4120 as 4,120. */
export function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}
