/**
 * How often a probe is called. A failure of the candidate is looked into at once instead of at the usual pace, on both releases
 * alike, so that a bad release is known after seconds even where probes are rare. The pace goes by ticks that are closed,
 * never by the one being counted: how many calls a tick has says nothing of its outcome, as the judge needs it.
 */
import type { Counts } from '../judge/types.js';

/** So many times as often after a failure. */
const HURRY = 5;
/** Fewest ms between two calls, however much in a hurry: the fastest probe that a spec may ask for. */
const SHORTEST = 50;

/** ms between two calls after a tick with these answers of the candidate; `every`: the probe's own. */
export function paceAfter(candidate: Counts | null, every: number): number {
  return candidate !== null && candidate.errors > 0 ? Math.min(every, Math.max(SHORTEST, every / HURRY)) : every;
}
