/**
 * What a source's ceiling is held against. The ceiling abstains while stable is over it, since that is an outage both share; but in
 * a second with one request of stable an outage is easily missed, and the candidate would be blamed for it. So looks are
 * gathered until stable, if it were at the ceiling, would have failed a few times: then its silence means something. How many failed
 * does not decide when that is, so no outcome chooses its look.
 */
import type { Arms, Tallies } from './state.js';
import type { Counts } from './types.js';

/** Failures that stable would have at the ceiling. At three times that rate it passes for quiet once in fifty looks. */
const ENOUGH = 3;

const NOTHING: Counts = { requests: 0, errors: 0 };
export const NO_ARMS: Arms = { stable: NOTHING, candidate: NOTHING };

/**
 * `bet`: what the ceiling may be held against now; `left`: what is gathered for later.
 * `alone`: stable has had no request at this weight, so that there is nothing to wait for.
 */
export function gather(
  before: Arms,
  { stable, candidate }: Tallies,
  { ceiling, alone }: { ceiling: number; alone: boolean },
): { bet: Arms; left: Arms } {
  if (alone) return { bet: { stable, candidate }, left: NO_ARMS };
  const all = { stable: sum(before.stable, stable), candidate: sum(before.candidate, candidate) };
  return all.stable.requests * ceiling >= ENOUGH ? { bet: all, left: NO_ARMS } : { bet: NO_ARMS, left: all };
}

function sum(one: Counts, other: Counts): Counts {
  return { requests: one.requests + other.requests, errors: one.errors + other.errors };
}
