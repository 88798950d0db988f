/** The formulas where there is nothing to compute with: no requests, no errors, nothing but errors, one metric alone. */
import { oneArmBounds } from '../../src/judge/bounds.js';
import { carrier, combined, pValue } from '../../src/judge/combine.js';
import { dkwBound, greatestDrop } from '../../src/judge/dkw.js';

test('without requests any rate is possible; without errors 0 is, and with only errors 1 is', () => {
  expect(oneArmBounds({ requests: 0, errors: 0 }, 0.05)).toEqual({ lower: 0, upper: 1 });
  const one = oneArmBounds({ requests: 1, errors: 0 }, 0.05);
  expect(one.lower).toBe(0);
  const none = oneArmBounds({ requests: 1_000, errors: 0 }, 0.05);
  expect([none.lower, none.upper > 0 && none.upper < 0.02]).toEqual([0, true]);
  const all = oneArmBounds({ requests: 1_000, errors: 1_000 }, 0.05);
  expect([all.upper, all.lower > 0.8 && all.lower < 1]).toEqual([1, true]);
  const few = oneArmBounds({ requests: 1_000, errors: 1 }, 0.05);
  expect([few.lower > 0, few.upper < 0.03]).toEqual([true, true]);
});

test('without an answer any distribution is possible; one answer narrows it', () => {
  expect(dkwBound(0, 0.05)).toBe(Number.POSITIVE_INFINITY);
  expect(dkwBound(1, 0.05)).toBeCloseTo(0.85 * Math.sqrt(0.8 * Math.log(1612 / 0.05)), 12);
});

test('a candidate is slower by the largest share that it lacks under a limit, and by none without answers', () => {
  expect(greatestDrop([5, 5, 0], [10, 0, 0])).toBe(0.5);
  expect(greatestDrop([1, 0, 1], [1, 1, 0])).toBe(0.5);
  expect(greatestDrop([1, 0], [1, 0])).toBe(0);
  // All of both are under the last limit, whatever happens before.
  expect(greatestDrop([0, 1], [0, 1])).toBe(0);
  for (const [candidate, stable] of [
    [
      [0, 0],
      [1, 0],
    ],
    [
      [1, 0],
      [0, 0],
    ],
    [
      [0, 0],
      [0, 0],
    ],
  ] as const) {
    expect(greatestDrop(candidate, stable)).toBe(0);
  }
});

test('the metric with the most evidence is a measured one, and the first of two equal ones', () => {
  const part = (name: string, logE: number | null, weight = 0.5) => ({ name, weight, logE });
  expect(carrier([part('a', null), part('b', -5)])).toBe('b');
  expect(carrier([part('a', 1), part('b', 1)])).toBe('a');
  expect(carrier([part('a', 1, 0.2), part('b', 1, 0.8)])).toBe('b');
  expect(combined([part('a', null), part('b', 0)])).toBeCloseTo(0, 12);
});

test('a p-value is at most 1, and falls as the evidence rises', () => {
  expect([-3, 0].map(pValue)).toEqual([1, 1]);
  expect(pValue(Math.log(100))).toBeCloseTo(0.01, 12);
});

test('metrics that say nothing are no evidence, not even what rounding adds', () => {
  const silent = ['relative', 'ceiling', 'latency'] as const;
  for (const weights of [
    [0.7, 0.2, 0.1],
    [0.5, 0.3, 0.2],
    [1 / 3, 1 / 3, 1 / 3],
    [0.45, 0.45, 0.1],
    [0.6, 0.2, 0.2],
  ])
    expect(combined(silent.map((name, at) => ({ name, weight: weights[at] ?? 0, logE: 0 })))).toBe(0);
});
