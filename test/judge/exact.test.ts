/** The judge's numbers at their edges, as worked out by hand from the formulas of docs/judge.md, and its words. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { divergence, PLAIN_PRIOR, priceOfIgnorance } from '../../src/judge/beta-binomial.js';
import { oneArmBounds } from '../../src/judge/bounds.js';
import { greatestDrop } from '../../src/judge/dkw.js';
import {
  type Look,
  type RulesChoice,
  rulesFrom,
  type SequentialState,
  sequentialJudge,
} from '../../src/judge/index.js';
import { kernel, leader } from '../../src/judge/kernel.js';
import { logAdd, logSum } from '../../src/judge/logs.js';
import { ceiling, relative } from '../../src/judge/modes.js';
import { moreRequests, nonInferiority, priorsFrom } from '../../src/judge/promotion.js';
import { healthProver } from '../../src/judge/proof.js';
import { rateOf } from '../../src/judge/rates.js';
import { defaultCeiling, defaultMargin, METRICS } from '../../src/judge/rules.js';
import type { Counts } from '../../src/judge/types.js';
import { charge, healthyWords, undecidedWords } from '../../src/judge/words.js';
import { ROOT } from '../support/tools.js';

const NONE = Number.NEGATIVE_INFINITY;
const PLAIN = { candidate: PLAIN_PRIOR, stable: PLAIN_PRIOR };

const of = (requests: number, errors = 0): Counts => ({ requests, errors });

function play(looks: readonly Omit<Look, 'id'>[], choice: RulesChoice = {}): SequentialState {
  const { start, tick } = sequentialJudge(rulesFrom(choice));
  return looks.reduce((state, look) => tick(state, { id: state.lastId + 1, ...look }), start());
}

function verdictOf(looks: readonly Omit<Look, 'id'>[], choice: RulesChoice = {}) {
  return sequentialJudge(rulesFrom(choice)).verdict(play(looks, choice));
}

const look = (candidate: Counts, stable: Counts, slow?: Look['slow']): Omit<Look, 'id'> => ({
  candidate,
  stable,
  ...(slow === undefined ? {} : { slow }),
});

describe('the default rules', () => {
  test('are those that the expected values of other code were computed for, and that the docs state', () => {
    const { cases } = JSON.parse(readFileSync(path.join(ROOT, 'test', 'judge', 'vectors.json'), 'utf8')) as {
      cases: { kind: string; params: { ratios: number[]; weights: number[]; g0: number; gStep: number; h: number } }[];
    };
    const given = cases.find(({ kind }) => kind === 'relative')?.params;
    const rules = rulesFrom();
    expect(rules.stakes).toEqual({
      ...{ ratios: given?.ratios, weights: given?.weights },
      ...{ atStart: given?.g0, atStep: given?.gStep, perBet: given?.h, dispersion: 1 },
    });
    expect(rules).toMatchObject({ alpha: 0.01, beta: 0.05, nullOdds: 1, minRequests: 100, minErrors: 2, minEffect: 0 });
    expect(rules.weights).toEqual({ relative: 0.5, ceiling: 0.25, latency: 0.25 });
    expect(Object.keys(rules.weights)).toEqual([...METRICS]);
  });

  test('without a request in the time before there was no time before; one request is one', () => {
    expect([defaultMargin(of(0)), defaultCeiling(of(0))]).toEqual([0.01, 0.05]);
    expect([defaultMargin(of(1, 1)), defaultCeiling(of(1, 1))]).toEqual([0.5, 1]);
    expect(rulesFrom({ history: of(0) })).toMatchObject({ margin: 0.01, ceiling: 0.05 });
  });

  test('the prior gives the rate before 500 requests of the candidate and 5,000 of stable, and no more than there were', () => {
    const half = { weight: 0.5, a: 0.5, b: 49.5 };
    expect(priorsFrom(null)).toEqual(PLAIN);
    expect(priorsFrom(of(0))).toEqual(PLAIN);
    const one = [half, { weight: 0.5, a: 0.5, b: 50.5 }];
    expect(priorsFrom(of(1))).toEqual({ candidate: one, stable: one });
    expect(priorsFrom(of(1_000, 250))).toEqual({
      candidate: [half, { weight: 0.5, a: 125.5, b: 424.5 }],
      stable: [half, { weight: 0.5, a: 250.5, b: 799.5 }],
    });
    expect(priorsFrom(of(100_000, 25_000))).toEqual({
      candidate: [half, { weight: 0.5, a: 125.5, b: 424.5 }],
      stable: [half, { weight: 0.5, a: 1250.5, b: 3799.5 }],
    });
  });
});

describe('the e-process of one rate', () => {
  test('costs ln of the mean of the prior for one request, and the product of two for two', () => {
    const price = (requests: number, errors: number) => priceOfIgnorance(of(requests, errors), PLAIN_PRIOR);
    expect(price(1, 0)).toBeCloseTo(Math.log(0.99), 13);
    expect(price(1, 1)).toBeCloseTo(Math.log(0.01), 13);
    // Mean 0.01, then (1/2 + 1) / 51; over what was seen, 1.
    expect(price(2, 2)).toBeCloseTo(Math.log((0.01 * 1.5) / 51), 13);
    // Either order of the two is the same, over 1/4.
    expect(price(2, 1)).toBeCloseTo(Math.log((0.01 * 4 * 49.5) / 51), 13);
    expect(price(0, 0)).toBeCloseTo(0, 13);
  });

  test('is as far from a rate as the logarithm of what was seen over it', () => {
    expect(divergence(of(0), 0.3)).toBe(0);
    expect(divergence(of(1), 0.5)).toBeCloseTo(Math.LN2, 14);
    expect(divergence(of(1, 1), 0.25)).toBeCloseTo(Math.log(4), 14);
    expect(divergence(of(4, 1), 0.25)).toBe(0);
  });

  test('leaves after one good request any rate below 1 - 0.99 alpha', () => {
    const { lower, upper } = oneArmBounds(of(1), 0.05);
    expect(lower).toBe(0);
    expect(upper).toBeCloseTo(1 - 0.99 * 0.05, 12);
    // After a bad one, any above 0.01 alpha.
    const bad = oneArmBounds(of(1, 1), 0.05);
    expect(bad.upper).toBe(1);
    expect(bad.lower).toBeCloseTo(0.01 * 0.05, 12);
  });
});

test('of one answer each the slower candidate lacks all under the limit, and the faster one less than none', () => {
  expect(greatestDrop([0, 1], [1, 0])).toBe(1);
  expect(greatestDrop([1, 0], [0, 1])).toBe(-1);
});

describe('non-inferiority', () => {
  test('one request without an error is worth ln(0.99) for not having known, and -ln(1 - margin) as evidence', () => {
    const found = nonInferiority(of(1), of(0), 0.02, PLAIN);
    expect(found?.rate).toBe(0);
    expect(found?.divergence).toBeCloseTo(-Math.log(0.98), 14);
    expect(found?.logE).toBeCloseTo(Math.log(0.99) - Math.log(0.98), 14);
  });

  test('one error of stable in two requests is worst explained by a rate of (3 - √3) / 6, at a margin of a half', () => {
    // 1 / (1/2 - p) + 1 / (1 - p) - 1 / p = 0
    const p = (3 - Math.sqrt(3)) / 6;
    const found = nonInferiority(of(1), of(2, 1), 0.5, PLAIN);
    expect(found?.rate).toBeCloseTo(p, 12);
    const seen = -Math.log(0.5 - p) + Math.log(0.5 / p) + Math.log(0.5 / (1 - p));
    expect(found?.divergence).toBeCloseTo(seen, 12);
    // B(1/2, 50 1/2) / B(1/2, 49 1/2) = 49.5 / 50; B(1 1/2, 50 1/2) / B(1/2, 49 1/2) = (0.5 · 49.5) / (50 · 51), over 1/4.
    expect(found?.logE).toBeCloseTo(seen + Math.log(49.5 / 50) + Math.log((4 * 0.5 * 49.5) / (50 * 51)), 12);
  });

  test('where stable fails always and the candidate never, it is a rate of a quarter, at a margin of a half', () => {
    // 1 / (1/2 - p) - 1 / p = 0
    expect(nonInferiority(of(1), of(1, 1), 0.5, PLAIN)?.rate).toBeCloseTo(0.25, 12);
    // And with one error of the candidate beside one good answer: 1 / (3/4 - p) - 1 / (p + 1/4) - 1 / p = 0, so 3 p² - p = 3 / 16.
    const p = (1 + Math.sqrt(13) / 2) / 6;
    expect(nonInferiority(of(2, 1), of(1, 1), 0.25, PLAIN)?.rate).toBeCloseTo(p, 12);
  });

  test('what is worse by the margin to the last bit is out of reach', () => {
    expect(nonInferiority(of(2, 1), of(4, 1), 0.25, PLAIN)).toBeNull();
    expect(nonInferiority(of(2, 1), of(4, 1), 0.26, PLAIN)).not.toBeNull();
  });

  test('to rule out 1 % takes 410 requests without an error: after 409 it is one more, and then none', () => {
    const needed = (requests: number) =>
      moreRequests(of(requests), of(0), nonInferiority(of(requests), of(0), 0.01, PLAIN), 0.05, PLAIN);
    expect([409, 410].map(needed)).toEqual([1, 0]);
  });
});

describe('the proof of health', () => {
  const rules = rulesFrom({ history: of(100_000), minRequests: 10 });
  const ofStep = (looks: readonly Omit<Look, 'id'>[]) => healthProver(rules)(play(looks, rules));
  const errors = priorsFrom(rules.history);

  test('asks for one request at least before the first, however few are asked for', () => {
    expect(verdictOf([], { minRequests: 0 }).needed).toBe(1);
    expect(verdictOf([], { minRequests: 1 }).needed).toBe(1);
    expect(verdictOf([], { minRequests: 2 }).needed).toBe(2);
  });

  test('compares with what stable did at this weight, be it one request', () => {
    const before = look(of(10), of(5_000, 500));
    for (const stable of [of(1), of(90, 1)]) {
      const { logE } = ofStep([before, { ...look(of(400), stable), stepUp: true }]);
      expect(logE).toBe(nonInferiority(of(400), stable, rules.margin, errors)?.logE);
    }
  });

  test('asks nothing of a latency that was never measured, whose prior knows no history', () => {
    const { logE } = ofStep([look(of(400), of(3_600))]);
    expect(logE).toBe(nonInferiority(of(400), of(3_600), rules.margin, errors)?.logE);
    expect(ofStep([look(of(400), of(3_600), { candidate: 0, stable: 0 })]).logE).toBe(
      nonInferiority(of(400), of(3_600), rules.margin, PLAIN)?.logE,
    );
  });

  test('is as far as the metric that is furthest from it, whichever that is', () => {
    const bad = ofStep([look(of(1_000, 50), of(9_000, 9), { candidate: 0, stable: 0 })]);
    expect(bad).toEqual({ logE: NONE, needed: null });
    const slow = ofStep([look(of(1_000), of(9_000), { candidate: 50, stable: 9 })]);
    expect(slow).toEqual({ logE: NONE, needed: null });
    const { logE } = ofStep([look(of(1_000, 5), of(9_000, 9), { candidate: 0, stable: 0 })]);
    expect(logE).toBe(nonInferiority(of(1_000, 5), of(9_000, 9), rules.margin, errors)?.logE);
  });
});

describe('a verdict', () => {
  test('of nothing has a p-value of 1', () => {
    expect(verdictOf([]).pValue).toBe(1);
  });

  test('names the metric that made it unhealthy for ever, also when another one says more by now', () => {
    const bad = look(of(25, 5), of(225), { candidate: 0, stable: 0 });
    const slow = look(of(25), of(225, 25), { candidate: 25, stable: 0 });
    expect(verdictOf([bad])).toMatchObject({ state: 'unhealthy', metric: 'relative' });
    const { state, metric, logE } = verdictOf([bad, slow, slow]);
    expect(logE.latency).toBeGreaterThan(logE.relative ?? 0);
    expect({ state, metric }).toEqual({ state: 'unhealthy', metric: 'relative' });
  });

  test('is not healthy while the evidence is over the limit, nor is more of the same any help, whatever the margin', () => {
    const wide = { margin: 0.9, minRequests: 1 };
    const bad = look(of(25, 3), of(225));
    expect(verdictOf([bad], { ...wide, alpha: 1e-9 })).toMatchObject({ state: 'healthy', needed: 0 });
    expect(verdictOf([bad], { ...wide, minErrors: 4 })).toMatchObject({ state: 'undecided', needed: null });
    // Once unhealthy, no proof is looked for any more, also when the evidence has gone.
    const good = Array.from({ length: 40 }, () => look(of(25), of(225, 20)));
    const { state, needed, logE } = verdictOf([bad, ...good], wide);
    expect(logE.combined).toBeLessThan(Math.log(100));
    expect({ state, needed }).toEqual({ state: 'unhealthy', needed: null });
  });

  test('an effect that was asked for is large enough when it is just that large', () => {
    const half = [look(of(8, 4), of(100))];
    expect(verdictOf(half, { minEffect: 0.5 }).state).toBe('unhealthy');
    expect(verdictOf(half, { minEffect: 0.51 }).state).toBe('undecided');
  });

  test('a look that timed nothing counts no slow answers', () => {
    const { all } = play([look(of(25), of(225), { candidate: 2, stable: 3 }), look(of(25), of(225))]);
    expect([all.candidate.slow, all.stable.slow]).toEqual([2, 3]);
  });
});

describe('the kernel', () => {
  test('multiplies what is bet also when nothing more is staked', () => {
    const { start, bet } = kernel({
      ...{ ratios: [3], weights: [1], atStart: 0.5, atStep: 0, perBet: 0 },
      dispersion: 1,
    });
    // 1/2 · 3² / (1 + 2 · 1/4)³
    const wealth = bet(start(), { bad: 2, total: 3, expected: 0.25 }, true);
    expect(wealth.map(Math.exp)).toEqual([0.5, expect.closeTo(4 / 3, 12)]);
  });

  test('the richest expert may be the first, the second or the last; of two alike it is the first', () => {
    expect(leader([9, 3, 1, 2])).toBe(0);
    expect(leader([9, 1, 3, 2])).toBe(1);
    expect(leader([9, 1, 2, 3])).toBe(2);
    expect(leader([9, 3, 3])).toBe(0);
  });

  test('nothing and nothing is nothing, and what is without end stays so', () => {
    expect(logAdd(NONE, NONE)).toBe(NONE);
    expect([logSum([]), logSum([NONE, NONE]), logSum([0, -NONE])]).toEqual([NONE, NONE, -NONE]);
    expect(logAdd(Math.log(2), Math.log(2))).toBeCloseTo(Math.log(4), 15);
  });
});

describe('what is bet on', () => {
  test('is nothing without requests of both releases', () => {
    expect(relative(of(0), of(9, 9))).toEqual({ bad: 0, total: 0, expected: 0 });
  });

  test('the ceiling abstains by one failed request of stable too', () => {
    expect(ceiling(of(9, 9), of(1, 1), 0.02).total).toBe(0);
    expect(ceiling(of(9, 9), of(1), 0.02).total).toBe(9);
    expect(ceiling(of(9, 9), of(0), 0.02).total).toBe(9);
  });

  test('a rate is of one request too, and of none it is 0', () => {
    expect([rateOf(of(1, 1)), rateOf(of(4, 1)), rateOf(of(0))]).toEqual([1, 0.25, 0]);
  });
});

describe('the words of a verdict', () => {
  const rules = rulesFrom({ margin: 0.05 });
  const state = (candidate: Counts, stable: Counts, slow?: Look['slow']) => play([look(candidate, stable, slow)]);

  test('say how many times the errors, how many against none, or that they are no more', () => {
    expect(charge('relative', state(of(100, 4), of(100, 2)), rules)).toBe(
      '4 % of 100 against 2 % of 100: 2 times the errors',
    );
    expect(charge('relative', state(of(100, 4), of(100)), rules)).toBe(
      '4 % of 100 against 0 % of 100: 4 errors against none',
    );
    expect(charge('relative', state(of(100, 1), of(100)), rules)).toBe(
      '1 % of 100 against 0 % of 100: 1 error against none',
    );
    expect(charge('relative', state(of(100, 2), of(100, 2)), rules)).toBe(
      '2 % of 100 against 2 % of 100: no more errors at this weight',
    );
    expect(charge('latency', state(of(100), of(100), { candidate: 1, stable: 0 }), rules)).toBe(
      'slow are 1 % of 100 against 0 % of 100: 1 slow answer against none',
    );
  });

  test('name stable where it has had a request', () => {
    const words = (stable: Counts) => charge('relative', state(of(100, 4), stable), rules);
    expect(words(of(1))).toBe('4 % of 100 against 0 % of 1: 4 errors against none');
    expect(words(of(0))).toBe('4 % of 100: 4 errors against none');
  });

  test('charge the candidate with what is evidence, be it little, and with nothing else', () => {
    const words = (logE: number) => undecidedWords('relative', state(of(100, 4), of(100, 2)), logE, null, rules);
    const rest = '; more requests like these would not rule out a regression of 5 percentage points or more';
    expect(words(0)).toBe(`4 % of 100 against 2 % of 100: no evidence against it${rest}`);
    expect(words(Math.log(1.5))).toBe(`4 % of 100 against 2 % of 100: 2 times the errors, evidence 1 : 1.5${rest}`);
  });

  test('give the margin in percentage points, with two digits', () => {
    const margin = (size: number) =>
      /regression of (.*) or more/.exec(
        healthyWords(state(of(100), of(100)), Math.log(25), rulesFrom({ margin: size })),
      )?.[1];
    expect([0.01, 0.9, 0.01234].map(margin)).toEqual([
      '1 percentage point',
      '90 percentage points',
      '1.2 percentage points',
    ]);
  });
});
