/** Moments as people read them. */
import { duration } from '../../model/text.js';

export { moment } from '../../model/text.js';

/** `2026-03-01T10:12:03Z`. */
export function stamp(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

/** How long ago, `3m12s`. */
export function ago(at: number, now: number): string {
  return duration(Math.max(0, Math.floor((now - at) / 1000) * 1000));
}

/** `3m12s left`, or `overdue`. */
export function left(until: number, now: number): string {
  return until <= now ? 'due now' : `${duration(Math.ceil((until - now) / 1000) * 1000)} left`;
}
