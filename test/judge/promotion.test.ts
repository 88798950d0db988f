import fc from 'fast-check';
import { divergence, logMartingale, PLAIN_PRIOR } from '../../src/judge/beta-binomial.js';
import { oneArmBounds } from '../../src/judge/bounds.js';
import { dispersion } from '../../src/judge/dispersion.js';
import { logBeta, stirlingRemainder } from '../../src/judge/gamma.js';
import { moreRequests, nonInferiority, priorsFrom } from '../../src/judge/promotion.js';
import { defaultCeiling, defaultMargin } from '../../src/judge/rules.js';
import type { Counts } from '../../src/judge/types.js';
import { atLeast, binomial, seeded } from './random.js';

const PRIORS = priorsFrom({ requests: 100_000, errors: 1_000 });
const counts = fc
  .tuple(fc.integer({ min: 1, max: 1_000_000 }), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([requests, share]): Counts => ({ requests, errors: Math.floor(requests * share ** 4) }));

describe('the Beta function', () => {
  test.each([
    [0.5, 0.5, Math.log(Math.PI)],
    [1, 1, 0],
    [2, 3, Math.log(1 / 12)],
    [1, 1e9, -Math.log(1e9)],
    [3, 1e9, Math.log(2) - 3 * Math.log(1e9) - 3e-9],
  ])('has the value at (%d, %d)', (x, y, expected) => {
    expect(Math.abs(logBeta(x, y) - expected)).toBeLessThan(1e-13 * Math.max(1, Math.abs(expected)));
    expect(logBeta(y, x)).toBeCloseTo(logBeta(x, y), 13);
  });

  test('is continuous where the series begins', () => {
    const step = (x: number) => stirlingRemainder(x) - stirlingRemainder(x + 1);
    for (const x of [0.5, 8.999, 9, 9.001, 10, 1e3]) expect(step(x)).toBeCloseTo((x + 0.5) * Math.log1p(1 / x) - 1, 14);
  });
});

describe('bounds on one rate', () => {
  test('are where the evidence reaches 1 / alpha', () => {
    fc.assert(
      fc.property(counts, fc.constantFrom(0.05, 0.01, 1e-6), (seen, alpha) => {
        const { lower, upper } = oneArmBounds(seen, alpha);
        const rate = seen.errors / seen.requests;
        expect(lower).toBeLessThanOrEqual(rate);
        expect(upper).toBeGreaterThanOrEqual(rate);
        for (const p of [lower, upper]) {
          // Nearer to 1 a double has too few digits left of 1 - p to tell.
          if (p > 0 && p < 0.999) expect(logMartingale(seen, p, PLAIN_PRIOR)).toBeCloseTo(-Math.log(alpha), 4);
        }
      }),
    );
  });

  test('are 0 and 1 without a request, and closed if all requests are alike', () => {
    expect(oneArmBounds({ requests: 0, errors: 0 }, 0.05)).toEqual({ lower: 0, upper: 1 });
    expect(oneArmBounds({ requests: 9, errors: 0 }, 0.05).lower).toBe(0);
    expect(oneArmBounds({ requests: 9, errors: 9 }, 0.05).upper).toBe(1);
  });

  test.each([
    [0.2, 14],
    [0.1, 31],
    [0.05, 67],
    [0.02, 188],
    [0.01, 410],
    [0.005, 892],
  ])('exclude %d after %d requests without an error', (rate, requests) => {
    const excluded = (n: number) => oneArmBounds({ requests: n, errors: 0 }, 0.05).upper <= rate;
    expect([excluded(requests - 1), excluded(requests)]).toEqual([false, true]);
  });
});

describe('non-inferiority', () => {
  test('is the minimum of the sum over all rates of stable', () => {
    fc.assert(
      fc.property(counts, counts, fc.constantFrom(0.001, 0.01, 0.2), (candidate, stable, delta) => {
        const found = nonInferiority(candidate, stable, delta, PRIORS);
        fc.pre(found !== null);
        for (let i = 0; i <= 50; i += 1) {
          const p = ((1 - delta) * i) / 50;
          const there = divergence(candidate, p + delta) + divergence(stable, p);
          expect(there).toBeGreaterThanOrEqual(found.divergence - 1e-9 * Math.max(1, found.divergence));
        }
      }),
    );
  });

  test('is impossible without requests, or if the counts themselves show the margin', () => {
    const stable = { requests: 1_000, errors: 10 };
    expect(nonInferiority({ requests: 0, errors: 0 }, stable, 0.01, PRIORS)).toBeNull();
    expect(nonInferiority({ requests: 100, errors: 3 }, stable, 0.01, PRIORS)).toBeNull();
  });

  test('needs as many more requests as it says, if the rates stay the same', () => {
    const wanted = Math.log(20);
    fc.assert(
      fc.property(fc.integer({ min: 50, max: 3_000 }), fc.nat(100), fc.nat(100), (requests, errors, others) => {
        const candidate = { requests, errors: Math.min(requests, errors) };
        const stable = { requests: 9 * requests, errors: others };
        const now = nonInferiority(candidate, stable, 0.02, PRIORS);
        const needed = moreRequests(candidate, stable, now, 0.05, PRIORS);
        fc.pre(needed !== null && needed > 0);
        const logEWith = (more: number) => {
          const factor = 1 + more / requests;
          const grown = ({ requests, errors }: Counts) => ({ requests: requests * factor, errors: errors * factor });
          return nonInferiority(grown(candidate), grown(stable), 0.02, PRIORS)?.logE ?? 0;
        };
        expect(logEWith(needed * 1.05)).toBeGreaterThanOrEqual(wanted);
        // An estimate: where little is missing, a few requests more or less change hardly anything.
        expect(logEWith(needed * 0.9)).toBeLessThan(wanted + 0.1);
      }),
    );
  });

  test('needs none once proven, and no number helps if the counts point the other way', () => {
    const stable = { requests: 90_000, errors: 900 };
    const good = { requests: 10_000, errors: 100 };
    const proven = nonInferiority(good, stable, 0.01, PRIORS);
    expect(moreRequests(good, stable, proven, 0.05, PRIORS)).toBe(0);
    const bad = { requests: 10_000, errors: 300 };
    expect(moreRequests(bad, stable, nonInferiority(bad, stable, 0.01, PRIORS), 0.05, PRIORS)).toBeNull();
  });

  test('rarely passes a candidate that is worse by the margin, however often it is checked', () => {
    const random = seeded(5);
    const runs = 600;
    const passes = (rate: number): number => {
      let passed = 0;
      for (let run = 0; run < runs; run += 1) {
        let candidate = { requests: 0, errors: 0 };
        let stable = { requests: 0, errors: 0 };
        for (let look = 0; look < 60; look += 1) {
          candidate = { requests: candidate.requests + 50, errors: candidate.errors + binomial(50, rate, random) };
          stable = { requests: stable.requests + 450, errors: stable.errors + binomial(450, 0.01, random) };
          if ((nonInferiority(candidate, stable, 0.01, PRIORS)?.logE ?? 0) >= Math.log(20)) {
            passed += 1;
            break;
          }
        }
      }
      return passed;
    };
    expect(atLeast(passes(0.02), runs, 0.05)).toBeGreaterThan(1e-4);
    expect(passes(0.01)).toBeGreaterThan(0.7 * runs);
  });
});

describe('dispersion', () => {
  test('is variance over mean, at least 1', () => {
    const clustered = Array.from({ length: 60 }, (_, i) => (i % 10 === 0 ? 10 : 0));
    expect(dispersion(clustered)).toBeCloseTo(540 / 59, 12);
    expect(dispersion(Array.from({ length: 60 }, () => 3))).toBe(1);
    expect(dispersion(Array.from({ length: 60 }, () => 0))).toBe(1);
  });

  test('is unknown with fewer than 60 ticks', () => {
    expect(dispersion(Array.from({ length: 59 }, () => 3))).toBeNull();
  });
});

describe("defaults from the stable release's history", () => {
  test('set the ceiling to three times what stable may have had, at least 1 %', () => {
    const { upper } = oneArmBounds({ requests: 10_000, errors: 100 }, 0.05);
    expect(defaultCeiling({ requests: 10_000, errors: 100 })).toBe(3 * upper);
    expect(defaultCeiling({ requests: 1_000_000, errors: 0 })).toBe(0.01);
    expect(defaultCeiling(null)).toBe(0.05);
    expect(defaultCeiling({ requests: 10, errors: 10 })).toBe(1);
  });

  test("set the margin to stable's rate, at least one percentage point", () => {
    expect(defaultMargin({ requests: 1_000, errors: 50 })).toBe(0.05);
    expect(defaultMargin({ requests: 1_000, errors: 1 })).toBe(0.01);
    expect(defaultMargin(null)).toBe(0.01);
  });
});
