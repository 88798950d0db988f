/**
 * How often a probe is called. After a failure of the candidate both releases are called at once instead of at the usual
 * pace, so that a bad release is found within seconds even if probes are rare. The pace depends only on closed ticks, never
 * on the one being counted: the number of calls in a tick says nothing about its outcome, as the judge requires.
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
