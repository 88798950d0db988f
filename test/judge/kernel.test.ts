import fc from 'fast-check';
import { combined } from '../../src/judge/combine.js';
import { type Bet, kernel, leader, logEvidence, type Wealth } from '../../src/judge/kernel.js';
import { ceiling, events, relative, slower } from '../../src/judge/modes.js';
import { rulesFrom } from '../../src/judge/rules.js';
import type { Counts } from '../../src/judge/types.js';

const { stakes } = rulesFrom();
const { start, bet } = kernel(stakes);

const bets = fc
  .record({ bad: fc.nat(50), rest: fc.nat(500), expected: fc.double({ min: 1e-6, max: 1, noNaN: true }) })
  .map(({ bad, rest, expected }): Bet => ({ bad, total: bad + rest, expected }));
const looks = fc.array(fc.record({ bet: bets, stepUp: fc.boolean() }), { maxLength: 20 });
const counts = fc
  .tuple(fc.nat(2_000), fc.nat(50))
  .map(([good, errors]): Counts => ({ requests: good + errors, errors }));

function play(course: readonly { bet: Bet; stepUp: boolean }[], from: Wealth = start()): Wealth {
  return course.reduce((wealth, look) => bet(wealth, look.bet, look.stepUp), from);
}

/** What one bet multiplies E by, when all is staked on expert j. */
function factor(ratio: number, { bad, total, expected }: Bet): number {
  return ratio ** bad / (1 + (ratio - 1) * expected) ** total;
}

describe('a bet is fair', () => {
  /** Chances of x errors of the candidate, given k errors of both, at this odds ratio (Fisher's noncentral hypergeometric). */
  function chances(nc: number, nb: number, k: number, odds: number): Map<number, number> {
    const choose = (n: number, r: number): number => (r === 0 ? 1 : (choose(n - 1, r - 1) * n) / r);
    const all = new Map<number, number>();
    for (let x = Math.max(0, k - nb); x <= Math.min(nc, k); x += 1) {
      all.set(x, choose(nc, x) * choose(nb, k - x) * odds ** x);
    }
    const sum = [...all.values()].reduce((a, b) => a + b, 0);
    return new Map([...all].map(([x, weight]) => [x, weight / sum]));
  }

  test.each([1, 1.5, 2, 4])('given the errors of both releases, if the true odds are the null odds %d', (odds) => {
    let greatest = 0;
    for (const [nc, nb] of [
      [1, 1],
      [2, 30],
      [10, 10],
      [12, 3],
    ] as const) {
      for (let k = 1; k <= Math.min(12, nc + nb); k += 1) {
        for (const ratio of stakes.ratios) {
          let mean = 0;
          for (const [x, chance] of chances(nc, nb, k, odds)) {
            const candidate = { requests: nc, errors: x };
            mean += chance * factor(ratio, relative(candidate, { requests: nb, errors: k - x }, odds));
          }
          greatest = Math.max(greatest, mean);
        }
      }
    }
    expect(greatest).toBeLessThanOrEqual(1 + 1e-9);
    // One error of either is a bet at exactly fair odds, so the limit is reached.
    expect(greatest).toBeGreaterThan(1 - 1e-9);
  });

  test('against the ceiling, if the rate is the ceiling', () => {
    for (const ratio of stakes.ratios) {
      const stable = { requests: 0, errors: 0 };
      const good = factor(ratio, ceiling({ requests: 1, errors: 0 }, stable, 0.03));
      const bad = factor(ratio, ceiling({ requests: 1, errors: 1 }, stable, 0.03));
      expect(0.97 * good + 0.03 * bad).toBeCloseTo(1, 12);
    }
  });
});

describe('the evidence', () => {
  test('starts at 1, and only events change it', () => {
    expect(logEvidence(start())).toBeCloseTo(0, 14);
    fc.assert(
      fc.property(looks, fc.boolean(), (course, stepUp) => {
        const before = play(course);
        const after = bet(before, { bad: 0, total: 0, expected: 0.1 }, stepUp);
        expect(logEvidence(after)).toBeCloseTo(logEvidence(before), 9);
      }),
    );
  });

  test('does not depend on how the looks are cut, except through the stakes', () => {
    const still = kernel({ ...stakes, perBet: 0 });
    fc.assert(
      fc.property(looks, bets, bets, (course, one, other) => {
        const merged = { bad: one.bad + other.bad, total: one.total + other.total, expected: one.expected };
        const from = course.reduce((wealth, look) => still.bet(wealth, look.bet, look.stepUp), still.start());
        const twice = still.bet(still.bet(from, one, false), { ...other, expected: one.expected }, false);
        const once = still.bet(from, merged, false);
        for (const [j, log] of once.entries()) {
          expect(Math.abs(log - (twice[j] ?? 0))).toBeLessThan(1e-9 * Math.max(1, Math.abs(log)));
        }
      }),
    );
  });

  test('never falls with one more error of the candidate', () => {
    const rules = rulesFrom();
    fc.assert(
      fc.property(looks, counts, counts, (course, candidate, stable) => {
        const from = play(course);
        const more = { requests: candidate.requests + 1, errors: candidate.errors + 1 };
        const same = { requests: candidate.requests + 1, errors: candidate.errors };
        for (const mode of [relative, (c: Counts, s: Counts) => ceiling(c, s, rules.ceiling)]) {
          const lower = logEvidence(bet(from, mode(same, stable), false));
          const higher = logEvidence(bet(from, mode(more, stable), false));
          expect(higher).toBeGreaterThanOrEqual(lower - 1e-9 * Math.abs(lower));
        }
      }),
    );
  });

  test('reads back from JSON as the same numbers', () => {
    fc.assert(
      fc.property(looks, (course) => {
        const wealth = play(course);
        expect(JSON.parse(JSON.stringify(wealth))).toEqual(wealth);
      }),
    );
  });

  test('is divided by the dispersion', () => {
    const look = { bad: 6, total: 6, expected: 0.1 };
    const wide = kernel({ ...stakes, perBet: 0, dispersion: 3 });
    const thin = kernel({ ...stakes, perBet: 0 });
    const [, ofWide = 0] = wide.bet(wide.start(), look, false);
    const [, ofThin = 0] = thin.bet(thin.start(), { ...look, bad: 2, total: 2 }, false);
    expect(ofWide).toBeCloseTo(ofThin, 12);
  });

  test('stays finite at a billion requests', () => {
    const billion = { requests: 1e9, errors: 1e9 };
    for (const look of [relative(billion, billion), ceiling(billion, { requests: 0, errors: 0 }, 0.01)]) {
      expect(Number.isFinite(logEvidence(bet(start(), look, true)))).toBe(true);
    }
  });

  test('has an expert that learns the odds ratio', () => {
    let wealth = start();
    for (let i = 0; i < 50; i += 1) {
      wealth = bet(wealth, relative({ requests: 1_000, errors: 50 }, { requests: 1_000, errors: 10 }), false);
    }
    expect(stakes.ratios[leader(wealth)]).toBe(5);
  });
});

describe('the number of candidate errors until the evidence is 100, if only the candidate fails', () => {
  test.each([
    [0.01, 2],
    [0.05, 3],
    [0.1, 3],
    [0.25, 5],
    [0.5, 10],
    [0.75, 22],
    [0.9, 60],
  ])('at a weight of %d is %d', (weight, errors) => {
    let wealth = start();
    let failed = 0;
    const evidence = () =>
      combined([
        { name: 'relative', weight: 0.5, logE: logEvidence(wealth) },
        { name: 'others', weight: 0.5, logE: null },
      ]);
    for (; evidence() < Math.log(100) && failed < 1_000; failed += 1) {
      wealth = bet(wealth, { bad: 1, total: 1, expected: weight }, false);
    }
    expect(failed).toBe(errors);
  });
});

describe('the mode', () => {
  test('"errors" ignores looks without requests of both releases', () => {
    const some = { requests: 9, errors: 9 };
    const none = { requests: 0, errors: 0 };
    expect(relative(some, none).total).toBe(0);
    expect(relative(none, some).total).toBe(0);
    expect(relative(some, { requests: 91, errors: 0 })).toEqual({ bad: 9, total: 9, expected: 0.09 });
    expect(relative(some, { requests: 9, errors: 0 }, 2).expected).toBeCloseTo(2 / 3, 12);
  });

  test('"ceiling" abstains while stable is over it', () => {
    expect(ceiling({ requests: 9, errors: 9 }, { requests: 100, errors: 3 }, 0.02).total).toBe(0);
    expect(ceiling({ requests: 9, errors: 9 }, { requests: 100, errors: 2 }, 0.02).total).toBe(9);
  });

  test('"events" is fair at the share of the traffic, without request counts', () => {
    expect(events(3, 4, 0.1)).toEqual({ bad: 3, total: 7, expected: 0.1 });
  });

  test('"slower" counts the answers in the buckets above the limit', () => {
    const histogram = { bounds: [100, 200], counts: [5, 3, 2] };
    expect(slower(histogram, 100)).toEqual({ requests: 10, errors: 5 });
    expect(slower(histogram, 200)).toEqual({ requests: 10, errors: 2 });
    expect(() => slower(histogram, 150)).toThrow('150 ms is not one of the bounds 100, 200');
  });
});
