/** What a person sees of the counts at this weight: users' requests and our probes' calls apart. Pure. */
import { type Counts, type Pair, type SourceCounts, summed, type Whose } from '../model/counts.js';
import type { SourceState } from './types.js';

/** A source by its name, with its counts. */
export interface Counted {
  name: string;
  state: Pick<SourceState, 'counts'>;
}

export interface Headline extends Pair {
  counted: Whose;
}

/** Requests of a release at this weight. */
export function requestsOf({ state }: Counted, arm: 'stable' | 'candidate'): number {
  return state.counts.step[arm].requests;
}

/** Each source's counts at this weight; `users`: the names of those that count users. */
export function countsOf(all: readonly Counted[], users: readonly string[]): SourceCounts[] {
  return all.map((one) => ({
    source: one.name,
    of: users.includes(one.name) ? 'users' : 'probes',
    stable: counts(one, 'stable'),
    candidate: counts(one, 'candidate'),
  }));
}

/**
 * The headline counts: the users' if there are any to count. Those are the counts of `accused` if one metric shows harm, or
 * else of the metric that counted most. Two metrics may count the same request, so their counts are not added up; two probes
 * never make the same call, so theirs are.
 */
export function headline(all: readonly Counted[], users: readonly string[], accused: Counted | undefined): Headline {
  if (users.length > 0) {
    const shown = accused ?? widest(all.filter(({ name }) => users.includes(name)));
    return { counted: 'users', stable: counts(shown, 'stable'), candidate: counts(shown, 'candidate') };
  }
  return { counted: 'probes', stable: together(all, 'stable'), candidate: together(all, 'candidate') };
}

function widest(all: readonly Counted[]): Counted | undefined {
  return all.reduce<Counted | undefined>(
    (most, one) => (most === undefined || requestsOf(one, 'candidate') > requestsOf(most, 'candidate') ? one : most),
    undefined,
  );
}

function counts(one: Counted | undefined, arm: 'stable' | 'candidate'): Counts {
  return together(one === undefined ? [] : [one], arm);
}

function together(all: readonly Counted[], arm: 'stable' | 'candidate'): Counts {
  return summed(
    all.map(({ state: { counts: of } }) => {
      const { requests, errors, slow } = of.step[arm];
      return { requests, errors, ...(of.latency === null ? {} : { slow }) };
    }),
  );
}
