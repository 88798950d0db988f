/**
 * The plain comparison. For each source on its own, and for all of them together, it asks how many errors the limits allow
 * the candidate:
 *
 *   allowed = requests x max(maxErrorRate, maxRelative x stable's rate)
 *
 * Sources are never pooled before they are compared: users and probes are other traffic, and a candidate that gets few users
 * and many probes would hide behind its probes. What the sources allow adds up; stable's rate is always the same source's.
 */
import type { HealthPolicy } from '../model/spec.js';
import { clean } from '../model/text.js';
import { add, BLIND_AFTER, sum, take } from './evidence.js';
import { percent } from './numbers.js';
import type { Counts, Judge, JudgeState, SourceState, Verdict } from './types.js';

/** What the limits say of a source, or of all sources together. */
interface Assessment {
  name: string | null;
  stable: Counts | null;
  candidate: Counts;
  /** Errors the candidate may have at its number of requests. */
  allowed: number;
}

export const comparison: Judge = {
  start: () => ({ sources: {} }),
  tick: take,
  verdict,
};

/** In order: proof of harm, blindness, no data, doubt; only what is left is healthy. */
function verdict(state: JudgeState, policy: HealthPolicy): Verdict {
  const stable = sum(state, 'stable');
  const candidate = sum(state, 'candidate');
  const answer = (said: Verdict['state'], why: string): Verdict => ({ state: said, why, stable, candidate });
  const sources = Object.entries(state.sources);
  const each = sources.flatMap(([name, source]) => assess(name, source, policy));
  const whole = together(each, candidate);
  // A source that stands alone needs no name.
  const all = each.length > 1 ? [...each, whole] : [whole];

  const bad = all.find((one) => proven(one, policy));
  if (bad !== undefined) return answer('unhealthy', `${compared(bad)}: over ${limitOf(bad, policy)}`);

  const blind = sources.find(([, source]) => source.blindTicks >= BLIND_AFTER);
  if (blind !== undefined) {
    const [name, { blindTicks, blindWhy }] = blind;
    return answer('blind', `${clean(name)} could not be read ${blindTicks} times in a row: ${blindWhy ?? 'no reason'}`);
  }
  const unread = sources.find(([, source]) => source.blindTicks > 0 && !source.read);
  if (candidate.requests === 0) {
    return answer('noData', unread === undefined ? 'no request of the candidate was counted' : neverRead(unread));
  }
  if (unread !== undefined) return answer('undecided', neverRead(unread));
  if (candidate.requests < policy.minRequests) {
    return answer('undecided', `${compared(whole)}: fewer than ${policy.minRequests} requests of the candidate`);
  }
  const doubtful = all.find((one) => suspicious(one, policy));
  if (doubtful !== undefined) {
    return answer(
      'undecided',
      `${compared(doubtful)}: over ${limitOf(doubtful, policy)}, but too few errors to be sure`,
    );
  }
  return answer('healthy', `${compared(whole)}: within ${limitOf(whole, policy)}`);
}

function assess(name: string, source: SourceState, policy: HealthPolicy): Assessment[] {
  const { stable, candidate } = source;
  if (candidate === null || candidate.requests === 0) return [];
  return [{ name, stable, candidate, allowed: allowedRate(stable, policy) * candidate.requests }];
}

/**
 * The candidate's limit as a share. Stable's rate is taken over `minRequests` at least, as if the missing ones were good:
 * one early error of stable must not hide the candidate, while an outage that hits both in equal measure still raises it.
 */
function allowedRate(stable: Counts | null, policy: HealthPolicy): number {
  if (stable === null || stable.requests === 0) return policy.maxErrorRate;
  const rate = stable.errors / Math.max(stable.requests, policy.minRequests);
  return Math.min(1, Math.max(policy.maxErrorRate, policy.maxRelative * rate));
}

/** All sources together: what each allows adds up, and the minimum sample may be reached by the sum alone. */
function together(each: Assessment[], candidate: Counts): Assessment {
  return {
    name: null,
    stable: each.reduce<Counts | null>((all, one) => add(all, one.stable), null),
    candidate,
    allowed: each.reduce((all, one) => all + one.allowed, 0),
  };
}

/**
 * Unhealthy needs two things. Over the limit, even were every request still missing to the minimum sample a good one. And
 * over it by `minErrors` errors (rounded), which a candidate at a fifth of the limit practically never reaches, while one
 * that fails always does so after `minErrors` requests.
 */
function proven({ candidate, allowed }: Assessment, policy: HealthPolicy): boolean {
  const missing = Math.max(1, policy.minRequests / Math.max(1, candidate.requests));
  return candidate.errors > allowed * missing && candidate.errors - allowed > policy.minErrors - 0.5;
}

/** Over the limit, by a sample or a number of errors that says something. Not proven, but nothing to pass either. */
function suspicious({ candidate, allowed }: Assessment, policy: HealthPolicy): boolean {
  const says = candidate.requests >= policy.minRequests || candidate.errors >= policy.minErrors;
  return says && candidate.errors > allowed;
}

function neverRead([name, source]: [string, SourceState]): string {
  return `${clean(name)} could not be read yet: ${source.blindWhy ?? 'no reason'}`;
}

/** `20 % of 60 against 0 % of 540`, with the source's name before it when it is one of several. */
function compared({ name, stable, candidate }: Assessment): string {
  const against = stable === null ? '' : ` against ${share(stable)}`;
  return `${name === null ? '' : `${clean(name)}: `}${share(candidate)}${against}`;
}

function share(counts: Counts): string {
  return `${percent(counts.errors / Math.max(1, counts.requests))} of ${counts.requests}`;
}

function limitOf({ allowed, candidate }: Assessment, policy: HealthPolicy): string {
  const rate = allowed / Math.max(1, candidate.requests);
  const relative = rate > policy.maxErrorRate * (1 + 1e-9);
  return `the limit of ${percent(rate)}${relative ? ` (${policy.maxRelative} x stable)` : ''}`;
}
