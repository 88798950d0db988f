/** Whether the counts at this weight prove the candidate healthy, and what is still missing. */

import { moreRequests, nonInferiority, priorsFrom } from './promotion.js';
import type { SequentialRules } from './rules.js';
import { type Arms, type SequentialState, slowOf } from './state.js';

export interface HealthProof {
  /** ln E for the metric that is furthest from being proven; -Infinity if there is none. */
  logE: number;
  /** How many more requests of the candidate, an estimate: 0 if it is proven, null if the counts do not point that way. */
  needed: number | null;
}

/**
 * Every metric has to pass, each at beta, and no correction is needed for that: a candidate that is worse in one metric has to pass
 * that one (intersection-union). Only counts since the weight last went up count, so that a change of the mix is not taken for one of
 * the rate. If stable no longer gets traffic, its counts of the whole rollout are used.
 *
 * Source: Schultzberg, Ankargren and Franberg, "Risk-aware product decisions in A/B tests with multiple metrics", 2024.
 */
export function healthProver(rules: SequentialRules): (state: SequentialState) => HealthProof {
  const { margin, beta, minRequests } = rules;
  const priors = { errors: priorsFrom(rules.history), slow: priorsFrom(null) };

  function proofOf({ candidate, stable }: Arms, of: 'errors' | 'slow'): HealthProof {
    const proof = nonInferiority(candidate, stable, margin, priors[of]);
    const needed = moreRequests(candidate, stable, proof, beta, priors[of]);
    return { logE: proof?.logE ?? Number.NEGATIVE_INFINITY, needed };
  }

  return (state) => {
    const { candidate } = state.step;
    const missing = Math.max(0, Math.ceil(minRequests - candidate.requests));
    if (candidate.requests === 0) return { logE: Number.NEGATIVE_INFINITY, needed: Math.max(1, missing) };
    const stable = state.step.stable.requests > 0 ? state.step.stable : state.all.stable;
    const errors = proofOf({ candidate, stable }, 'errors');
    const proofs = state.latency === null ? [errors] : [errors, proofOf(slowOf({ candidate, stable }), 'slow')];
    return proofs.reduce(worst, { logE: Number.POSITIVE_INFINITY, needed: missing });
  };
}

function worst(one: HealthProof, other: HealthProof): HealthProof {
  const needed = one.needed === null || other.needed === null ? null : Math.max(one.needed, other.needed);
  return { logE: Math.min(one.logE, other.logE), needed };
}
