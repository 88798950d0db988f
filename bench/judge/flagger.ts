/**
 * A checker of thresholds as Flagger is by default: each interval of a minute, a success rate of 99 % or more and a P99 of 500 ms or
 * less. A failed check counts and holds the weight; the count does not fall again; when it has reached the threshold, the next
 * tick goes back. Without values it halts and counts nothing.
 * Sources: fluxcd/flagger `scheduler.go` and `canary.go` (threshold 1, interval 1m), "Metrics Analysis" in its documentation.
 */

/** Milliseconds between two ticks. */
export const INTERVAL = 60_000;
const THRESHOLD = 1;
const LEAST_SUCCESS = 0.99;
const LONGEST_P99 = 500;

/** What is known of the candidate's last minute. */
export interface Minute {
  requests: number;
  errors: number;
  /** ms; null where CloudWatch has none. */
  p99: number | null;
}

/** One tick: failed checks so far, and the last minute. */
export function flaggerTick(failed: number, minute: Minute | null): { failed: number; back: boolean } {
  if (failed >= THRESHOLD) return { failed, back: true };
  return { failed: minute !== null && isBad(minute) ? failed + 1 : failed, back: false };
}

function isBad({ requests, errors, p99 }: Minute): boolean {
  return requests > 0 && (1 - errors / requests < LEAST_SUCCESS || (p99 ?? 0) > LONGEST_P99);
}
