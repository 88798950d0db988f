import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Counts, type JudgeState, judge, type Tick } from '../../src/judge/index.js';
import { specFor } from '../support/specs.js';
import { seeded } from './random.js';

const POLICY = specFor({ type: 'direct', bake: 1 }).health.policy;

function tick(source: string, id: number, candidate: Counts | null, more: Partial<Tick> = {}): Tick {
  return { source, id, mode: 'add', stable: null, candidate, ...more };
}

function having(...ticks: Tick[]): JudgeState {
  return ticks.reduce((state, one) => judge.tick(state, one), judge.start());
}

/** The verdict on one source with these counts. */
function on(candidate: Counts | null, stable: Counts | null = null, policy = POLICY) {
  return judge.verdict(having(tick('users', 0, candidate, { mode: 'total', stable })), policy);
}

const counts = fc
  .tuple(fc.nat(2_000), fc.nat(2_000))
  .map(([good, errors]): Counts => ({ requests: good + errors, errors }));

describe('a candidate is unhealthy', () => {
  test('when a fifth of its requests fails and stable has none, in a sentence with the numbers', () => {
    const verdict = on({ requests: 60, errors: 12 }, { requests: 540, errors: 0 });
    expect(verdict).toMatchObject({
      state: 'unhealthy',
      why: '20 % of 60 against 0 % of 540: over the limit of 5 %',
      candidate: { requests: 60, errors: 12 },
      stable: { requests: 540, errors: 0 },
    });
  });

  test('after minErrors requests when all of them fail', () => {
    expect(on({ requests: 2, errors: 2 }).state).toBe('undecided');
    expect(on({ requests: 3, errors: 3 }).state).toBe('unhealthy');
  });

  test('below the minimum sample only when the errors are over the limit of the whole sample', () => {
    const policy = { ...POLICY, minRequests: 100 };
    expect(on({ requests: 5, errors: 5 }, null, policy).state).toBe('undecided');
    expect(on({ requests: 6, errors: 6 }, null, policy).state).toBe('unhealthy');
  });

  test('by its users alone, however many probes pass', () => {
    const state = having(
      tick('users', 0, { requests: 60, errors: 12 }, { stable: { requests: 540, errors: 0 } }),
      tick('probe', 0, { requests: 5_000, errors: 0 }, { stable: { requests: 5_000, errors: 0 } }),
    );
    expect(judge.verdict(state, POLICY)).toMatchObject({
      state: 'unhealthy',
      why: expect.stringMatching(/^users: 20 %/),
    });
  });

  test('by several sources together, none of which has enough errors alone', () => {
    const state = having(tick('a', 0, { requests: 2, errors: 2 }), tick('b', 0, { requests: 2, errors: 2 }));
    expect(judge.verdict(state, POLICY).state).toBe('unhealthy');
  });

  test('by one error, when the policy says so', () => {
    const strict = { ...POLICY, minErrors: 1, maxErrorRate: 0 };
    expect(on({ requests: 1_000, errors: 1 }, { requests: 9_000, errors: 0 }, strict).state).toBe('unhealthy');
  });
});

describe('a candidate is not blamed', () => {
  test('for an outage that hits stable as hard', () => {
    expect(on({ requests: 100, errors: 50 }, { requests: 900, errors: 450 }).state).toBe('healthy');
    expect(on({ requests: 6, errors: 6 }, { requests: 6, errors: 6 }).state).not.toBe('unhealthy');
  });

  test('for having more users than probes while users fail more often on both releases', () => {
    const state = having(
      tick('users', 0, { requests: 900, errors: 90 }, { stable: { requests: 100, errors: 10 } }),
      tick('probe', 0, { requests: 300, errors: 0 }, { stable: { requests: 300, errors: 0 } }),
    );
    expect(judge.verdict(state, POLICY).state).toBe('healthy');
  });

  test('but one early error of stable does not hide it', () => {
    expect(on({ requests: 60, errors: 12 }, { requests: 1, errors: 1 }).state).toBe('unhealthy');
  });
});

describe('how soon and how often', () => {
  /** How many errors it took until unhealthy, or null when it never was, over `requests` requests. */
  function errorsUntilUnhealthy(rate: number, requests: number, random: () => number): number | null {
    for (let n = 1, errors = 0; n <= requests; n += 1) {
      if (random() >= rate) continue;
      errors += 1;
      if (on({ requests: n, errors }).state === 'unhealthy') return errors;
    }
    return null;
  }

  test('one that fails a fifth of the time is caught within a dozen failed requests', () => {
    const random = seeded(1);
    const runs = Array.from({ length: 1_000 }, () => errorsUntilUnhealthy(0.2, 600, random));
    const late = runs.filter((errors) => errors === null || errors > 12);
    expect(late.length).toBeLessThanOrEqual(10);
    expect(runs).not.toContain(null);
  });

  test.each([
    [0.005, 1],
    [0.01, 3],
  ])('one that fails at a rate of %d practically never is', (rate, most) => {
    const random = seeded(2);
    const runs = Array.from({ length: 2_000 }, () => errorsUntilUnhealthy(rate, 600, random));
    expect(runs.filter((errors) => errors !== null).length).toBeLessThanOrEqual(most);
  });
});

describe('what is not proven does not pass', () => {
  test('nothing counted is noData, also when stable has counts', () => {
    expect(on(null).state).toBe('noData');
    expect(on({ requests: 0, errors: 0 }, { requests: 500, errors: 0 }).state).toBe('noData');
    expect(judge.verdict(judge.start(), POLICY).state).toBe('noData');
  });

  test('fewer than the minimum is undecided, the minimum without errors healthy', () => {
    expect(on({ requests: 19, errors: 0 }).state).toBe('undecided');
    expect(on({ requests: 20, errors: 0 }).state).toBe('healthy');
  });

  test('over the limit with too few errors to be sure is undecided', () => {
    expect(on({ requests: 30, errors: 3 }, { requests: 300, errors: 0 })).toMatchObject({ state: 'undecided' });
  });

  test('a source that failed three times in a row and still does is blind, until it can be read', () => {
    const healthy = tick('probe', 0, { requests: 100, errors: 0 });
    const lost = (id: number) => tick('users', id, null, { mode: 'total', blind: 'throttled' });
    const read = tick('users', 0, { requests: 5, errors: 0 }, { mode: 'total' });
    expect(judge.verdict(having(healthy, read, lost(1), lost(2)), POLICY).state).toBe('healthy');
    const blind = having(healthy, read, lost(1), lost(2), lost(3));
    expect(judge.verdict(blind, POLICY)).toMatchObject({
      state: 'blind',
      why: 'users could not be read 3 times in a row: throttled',
    });
    const again = judge.tick(blind, tick('users', 4, { requests: 9, errors: 0 }, { mode: 'total' }));
    expect(judge.verdict(again, POLICY).state).toBe('healthy');
  });

  test('a source that was never read is no part of a healthy verdict', () => {
    const state = having(
      tick('probe', 0, { requests: 100, errors: 0 }),
      tick('users', 0, null, { mode: 'total', blind: 'throttled' }),
    );
    expect(judge.verdict(state, POLICY)).toMatchObject({
      state: 'undecided',
      why: 'users could not be read yet: throttled',
    });
  });

  test('a source that was read and had nothing is not blind after one failed read', () => {
    const state = having(
      tick('probe', 0, { requests: 100, errors: 0 }),
      tick('users', 0, null, { mode: 'total' }),
      tick('users', 1, null, { mode: 'total', blind: 'throttled' }),
    );
    expect(judge.verdict(state, POLICY).state).toBe('healthy');
  });

  test('answers of stable do not make up for a candidate that cannot be seen', () => {
    const lost = (id: number) => tick('probe', id, null, { blind: 'denied' });
    const stable = (id: number) => tick('probe', id, null, { stable: { requests: 1, errors: 0 } });
    const state = having(lost(0), stable(1), lost(2), stable(3), lost(4), stable(5));
    expect(judge.verdict(state, POLICY).state).toBe('blind');
  });

  test('proof of harm comes before blindness', () => {
    const lost = [1, 2, 3].map((id) => tick('users', id, null, { mode: 'total', blind: 'denied' }));
    const state = having(tick('probe', 0, { requests: 20, errors: 20 }), ...lost);
    expect(judge.verdict(state, POLICY).state).toBe('unhealthy');
  });
});

describe('properties', () => {
  test('however ticks are repeated, each counts once', () => {
    fc.assert(
      fc.property(
        fc.array(counts, { minLength: 1, maxLength: 20 }),
        fc.array(fc.nat(40), { maxLength: 60 }),
        (all, again) => {
          const ticks = all.map((candidate, id) => tick('s', id, candidate, { stable: candidate }));
          // Each tick, then any earlier ones once more.
          const noisy = ticks.flatMap((one, at) => [one, ...again.filter((i) => i <= at).map((i) => ticks[i] as Tick)]);
          expect(having(...noisy)).toEqual(having(...ticks));
        },
      ),
    );
  });

  test('in whatever order ticks arrive, none is counted twice', () => {
    const shuffled = fc
      .array(counts, { minLength: 1, maxLength: 12 })
      .chain((all) => fc.tuple(fc.constant(all), fc.array(fc.nat(all.length - 1), { maxLength: 40 })));
    fc.assert(
      fc.property(shuffled, ([all, order]) => {
        const ticks = all.map((candidate, id) => tick('s', id, candidate));
        const { candidate } = judge.verdict(having(...order.map((i) => ticks[i] as Tick)), POLICY);
        const most = [...new Set(order)].reduce((n, i) => n + (all[i] as Counts).requests, 0);
        expect(candidate.requests).toBeLessThanOrEqual(most);
      }),
    );
  });

  test('ticks of different sources may come in any order', () => {
    fc.assert(
      fc.property(fc.array(counts, { minLength: 2, maxLength: 6 }), (all) => {
        const ticks = all.map((candidate, i) => tick(`s${i}`, 0, candidate, { stable: candidate }));
        const [one, other] = [having(...ticks), having(...[...ticks].reverse())];
        expect(one).toEqual(other);
        expect(judge.verdict(one, POLICY).state).toBe(judge.verdict(other, POLICY).state);
      }),
    );
  });

  test('a total replaces what its source said before', () => {
    fc.assert(
      fc.property(fc.array(fc.option(counts), { minLength: 1, maxLength: 10 }), (all) => {
        const state = having(...all.map((candidate, id) => tick('m', id, candidate, { mode: 'total' })));
        expect(judge.verdict(state, POLICY).candidate).toEqual(all.at(-1) ?? { requests: 0, errors: 0 });
      }),
    );
  });

  test('more errors of the candidate never make it better, more errors of stable never worse', () => {
    const bad = (candidate: Counts, stable: Counts) => on(candidate, stable).state === 'unhealthy';
    fc.assert(
      fc.property(counts, counts, fc.nat(50), (candidate, stable, more) => {
        const worse = { ...candidate, errors: Math.min(candidate.requests, candidate.errors + more) };
        const worseStable = { ...stable, errors: Math.min(stable.requests, stable.errors + more) };
        if (bad(candidate, stable)) expect(bad(worse, stable)).toBe(true);
        if (!bad(candidate, stable)) expect(bad(candidate, worseStable)).toBe(false);
      }),
    );
  });

  test('healthy needs the minimum sample, and unhealthy minErrors errors', () => {
    fc.assert(
      fc.property(counts, fc.option(counts), (candidate, stable) => {
        const { state } = on(candidate, stable);
        if (state === 'healthy') expect(candidate.requests).toBeGreaterThanOrEqual(POLICY.minRequests);
        if (state === 'unhealthy') expect(candidate.errors).toBeGreaterThanOrEqual(POLICY.minErrors);
      }),
    );
  });

  test('the state of five sources stays under 1 KB after a day, and does not know the input objects', () => {
    const day: Counts = { requests: 10_000_000, errors: 1_000_000 };
    const ticks = Array.from({ length: 5 }, (_, i) =>
      tick(`probe:checkout-${i}`, 1_728_000, day, { stable: day }),
    ).flatMap((one, i) => [one, ...(i === 0 ? [{ ...one, id: one.id + 1, blind: 'x'.repeat(5_000) }] : [])]);
    const before = JSON.stringify(ticks);
    const state = having(...ticks);
    expect(JSON.stringify(state).length).toBeLessThan(1_024);
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
    expect(JSON.stringify(ticks)).toBe(before);
  });

  test('a source named like a member of every object is a source like any other', () => {
    expect(judge.verdict(having(tick('constructor', 0, { requests: 20, errors: 0 })), POLICY).state).toBe('healthy');
  });
});
