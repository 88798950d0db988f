/** The grid on which a source's stretches lie. Pure. */

/** All in ms; `now` and `since` since the epoch. */
export interface Grid {
  length: number;
  /** From a stretch's end to its watermark. */
  delay: number;
  now: number;
  since: number;
  /** Most stretches of one answer. */
  most: number;
}

/**
 * The ends of the stretches that end after `since` and whose watermark has passed. The stretch that contains `since` is one
 * of them: a candidate's first requests count, at the price of some from just before.
 */
export function closedEnds({ length, delay, now, since, most }: Grid): number[] {
  const first = Math.floor(since / length) * length + length;
  const last = Math.floor((now - delay) / length) * length;
  const count = Math.min(most, Math.max(0, (last - first) / length + 1));
  return Array.from({ length: count }, (_, i) => first + i * length);
}

/** The releases to ask for: stable only where there is one apart from the candidate. */
export function releasesOf(of: { stable: string | null; candidate: string }): ['stable' | 'candidate', string][] {
  const stable: ['stable', string][] = of.stable === null || of.stable === of.candidate ? [] : [['stable', of.stable]];
  return [...stable, ['candidate', of.candidate]];
}
