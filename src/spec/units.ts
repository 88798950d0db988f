/** Durations and percentages as people write them. */

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `500ms`, `30s`, `5m`, `2h`, `1d`, `1h30m`. */
export const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
/** `10%`, `0.5 %`. */
export const PERCENT = /^\d+(?:\.\d+)?\s?%$/;

/** Milliseconds of a text that matches {@link DURATION}, rounded to whole ones. */
export function parseDuration(text: string): number {
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(amount) * UNITS[unit as keyof typeof UNITS];
  }
  return Math.round(total);
}

/** The duration in its largest whole unit: 300000 is `5m`, 90000 is `90s`. Loses nothing. */
export function writeDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (ms > 0 && ms % UNITS[unit] === 0) return `${ms / UNITS[unit]}${unit}`;
  }
  return ms === 0 ? '0s' : `${ms}ms`;
}

/** Percent (0-100) of a text that matches {@link PERCENT}. */
export function parsePercent(text: string): number {
  return Number(text.replace('%', ''));
}

/** A share (0-1) as a percentage. The rounding undoes what binary fractions add: 0.07 is `7%`. */
export function writeShare(share: number): string {
  return `${Number((share * 100).toPrecision(12))}%`;
}
