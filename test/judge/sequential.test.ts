import fc from 'fast-check';
import {
  type Look,
  type RulesChoice,
  rulesFrom,
  type SequentialState,
  sequentialJudge,
} from '../../src/judge/index.js';
import { atLeast, binomial, seeded } from './random.js';

type Step = Omit<Look, 'id'>;

function step(nc: number, ec: number, nb: number, eb: number, more: Partial<Step> = {}): Step {
  return { candidate: { requests: nc, errors: ec }, stable: { requests: nb, errors: eb }, ...more };
}

function play(looks: readonly Step[], choice: RulesChoice = {}, from?: SequentialState): SequentialState {
  const { start, tick } = sequentialJudge(rulesFrom(choice));
  return looks.reduce((state, look) => tick(state, { id: state.lastId + 1, ...look }), from ?? start());
}

function verdictOf(looks: readonly Step[], choice: RulesChoice = {}) {
  return sequentialJudge(rulesFrom(choice)).verdict(play(looks, choice));
}

const repeated = (times: number, look: Step): Step[] => Array.from({ length: times }, () => look);

const looks = fc.array(
  fc
    .tuple(fc.nat(50), fc.nat(5), fc.nat(400), fc.nat(20), fc.boolean(), fc.boolean())
    .map(([good, ec, others, eb, stepUp, timed]) =>
      step(good + ec, ec, others + eb, eb, { stepUp, ...(timed ? { slow: { candidate: good, stable: eb } } : {}) }),
    ),
  { maxLength: 12 },
);

describe('unhealthy', () => {
  test('comes from the errors compared with stable, in a sentence with the numbers', () => {
    const said = verdictOf([step(4_120, 37, 37_080, 37)]);
    expect(said).toMatchObject({
      state: 'unhealthy',
      why: expect.stringMatching(
        /^0\.9 % of 4,120 against 0\.1 % of 37,080: 9 times the errors, evidence 1 : 10\^\d+$/,
      ),
      metric: 'relative',
      oddsRatio: 10,
      needed: null,
      candidate: { requests: 4_120, errors: 37 },
      stable: { requests: 37_080, errors: 37 },
    });
    expect(said.pValue).toBeCloseTo(Math.exp(-said.logE.combined), 12);
  });

  test('comes at the third error at a weight of 10 % if only the candidate fails', () => {
    const one = step(25, 1, 225, 0);
    const strict = { ceiling: 0.5 };
    expect(verdictOf(repeated(2, one), strict).state).toBe('undecided');
    expect(verdictOf(repeated(3, one), strict)).toMatchObject({
      state: 'unhealthy',
      why: expect.stringMatching(/^4 % of 75 against 0 % of 675: 3 errors against none, evidence 1 : \d/),
    });
  });

  test('comes only from the ceiling once stable has no traffic', () => {
    expect(verdictOf([step(250, 30, 0, 0)], { ceiling: 0.05 })).toMatchObject({
      state: 'unhealthy',
      why: expect.stringMatching(/^12 % of 250: the ceiling is 5 %, evidence 1 : \d/),
      metric: 'ceiling',
      logE: { relative: expect.closeTo(0, 12), latency: null },
    });
  });

  test('comes from slow answers without a single error', () => {
    expect(verdictOf(repeated(3, step(50, 0, 450, 0, { slow: { candidate: 12, stable: 9 } })))).toMatchObject({
      state: 'unhealthy',
      why: expect.stringMatching(/^slow are 24 % of 150 against 2 % of 1,350: 12 times the slow answers, evidence/),
      metric: 'latency',
    });
  });

  test('stays for good, however well the candidate does afterwards, and the evidence goes on', () => {
    const bad = play(repeated(3, step(25, 2, 225, 0)));
    const after = play(repeated(200, step(25, 0, 225, 5)), {}, bad);
    const { verdict } = sequentialJudge(rulesFrom());
    expect(verdict(after).state).toBe('unhealthy');
    expect(verdict(after).pValue).toBeLessThan(0.01);
    expect(verdict(after).logE.combined).toBeLessThan(verdict(bad).logE.combined);
  });

  test('also comes if the candidate turns bad after being good for long', () => {
    const { tick } = sequentialJudge(rulesFrom());
    let state = play(repeated(700, step(25, 0, 225, 1)));
    let errors = 0;
    for (; state.unhealthyBy === null && errors < 100; errors += 1) {
      state = tick(state, { id: state.lastId + 1, ...step(25, 1, 225, 0) });
    }
    expect(errors).toBeLessThanOrEqual(8);
  });

  test('comes only from the tests that were asked for', () => {
    const bad = [step(25, 3, 225, 0)];
    expect(verdictOf(bad, { minErrors: 4 }).state).toBe('undecided');
    expect(verdictOf(bad, { minErrors: 3 }).state).toBe('unhealthy');
    expect(verdictOf(bad, { minEffect: 0.2 }).state).toBe('undecided');
    expect(verdictOf(bad, { minEffect: 0.1 }).state).toBe('unhealthy');
  });

  test('comes later if errors come in clusters', () => {
    const bad = repeated(4, step(25, 1, 225, 0));
    expect(verdictOf(bad).state).toBe('unhealthy');
    expect(verdictOf(bad, { stakes: { dispersion: 3 } }).state).toBe('undecided');
  });
});

describe('not unhealthy', () => {
  test('comes from an outage that stable shares', () => {
    expect(verdictOf(repeated(20, step(25, 15, 225, 135))).state).toBe('undecided');
  });

  test('comes from twice the errors if the rules allow twice', () => {
    const twice = repeated(20, step(1_000, 20, 9_000, 90));
    expect(verdictOf(twice).state).toBe('unhealthy');
    expect(verdictOf(twice, { nullOdds: 2.1 }).state).not.toBe('unhealthy');
  });
});

describe('healthy', () => {
  const good = step(250, 0, 2_250, 2);

  test('means proven to be worse by less than the margin', () => {
    expect(verdictOf(repeated(3, good))).toMatchObject({ state: 'healthy', needed: 0 });
    expect(verdictOf(repeated(3, good)).why).toMatch(
      /^0 % of 750 against 0\.089 % of 6,750: a regression of 1 percentage point or more is ruled out, evidence 1 : \d+$/,
    );
    expect(verdictOf(repeated(3, good), { margin: 0.001 }).state).toBe('undecided');
  });

  test('needs about as many more requests as it says', () => {
    const { state, needed, why } = verdictOf([good]);
    expect(state).toBe('undecided');
    expect(why).toMatch(/; about \d+ more requests needed to rule out a regression of 1 percentage point or more$/);
    const later = (more: number) => verdictOf([good, step(more, 0, 9 * more, (9 * more) / 1_125)]).state;
    expect(later(Math.ceil((needed ?? 0) * 1.05))).toBe('healthy');
    expect(later(Math.floor((needed ?? 0) * 0.9))).toBe('undecided');
  });

  test('counts only requests at this weight, and never fewer than minRequests', () => {
    const up = [...repeated(8, good), step(20, 0, 20, 0, { stepUp: true })];
    expect(verdictOf(up)).toMatchObject({ state: 'undecided', candidate: { requests: 2_020, errors: 0 } });
    expect(verdictOf(up).needed).toBeGreaterThan(100);
    expect(verdictOf(repeated(8, good), { minRequests: 5_000 })).toMatchObject({ state: 'undecided', needed: 3_000 });
  });

  test('uses the stable counts of the lower weights once stable has no traffic', () => {
    const rate = 0.02;
    const lower = step(1_000, 1_000 * rate, 9_000, 9_000 * rate);
    const last = step(20_000, 20_000 * rate, 0, 0, { stepUp: true });
    expect(verdictOf([lower, last]).state).toBe('healthy');
    expect(verdictOf([last]).state).toBe('undecided');
  });

  test('needs proof for latency too, once it was measured', () => {
    const slow = { candidate: 1, stable: 9 };
    expect(verdictOf(repeated(9, { ...good, slow })).state).toBe('healthy');
    expect(verdictOf(repeated(9, { ...good, slow: { candidate: 5, stable: 27 } })).state).toBe('undecided');
    expect(verdictOf(repeated(9, good)).state).toBe('healthy');
  });

  test('is never reported for a candidate that looks worse by the margin', () => {
    const said = verdictOf([step(100, 2, 900, 0)], { alpha: 1e-9 });
    expect(said).toMatchObject({ state: 'undecided', needed: null });
    expect(said.why).toMatch(
      /; more requests like these would not rule out a regression of 1 percentage point or more$/,
    );
  });
});

describe('a candidate without counts', () => {
  test('is noData, even if stable was counted', () => {
    expect(verdictOf([])).toMatchObject({ state: 'noData', needed: 100 });
    expect(verdictOf([step(0, 0, 500, 3)]).state).toBe('noData');
  });

  test('is blind from the third failure in a row, until it can be read', () => {
    const lost: Step = { candidate: null, stable: null, blind: 'throttled' };
    const good = repeated(4, step(250, 0, 2_250, 2));
    expect(verdictOf([...good, lost, lost]).state).toBe('healthy');
    expect(verdictOf([...good, lost, lost, lost])).toMatchObject({
      state: 'blind',
      why: 'the counts could not be read 3 times in a row: throttled',
    });
    const onlyStable: Step = { candidate: null, stable: { requests: 9, errors: 0 } };
    expect(verdictOf([...good, lost, lost, lost, onlyStable]).state).toBe('blind');
    expect(verdictOf([...good, lost, lost, lost, step(1, 0, 9, 0)]).state).toBe('healthy');
  });

  test('is still unhealthy if that was proven', () => {
    const lost: Step = { candidate: null, stable: null, blind: 'throttled' };
    expect(verdictOf([step(25, 5, 225, 0), lost, lost, lost]).state).toBe('unhealthy');
  });
});

describe('the state', () => {
  test('does not take a look twice', () => {
    const { tick } = sequentialJudge(rulesFrom());
    const state = play([step(25, 1, 225, 0)]);
    expect(tick(state, { id: state.lastId, ...step(25, 25, 225, 0) })).toBe(state);
    expect(tick(state, { id: state.lastId - 1, ...step(25, 25, 225, 0) })).toBe(state);
  });

  test('can be read back from JSON and continues the same', () => {
    fc.assert(
      fc.property(looks, looks, (before, after) => {
        const state = play(before);
        const copy = JSON.parse(JSON.stringify(state)) as SequentialState;
        expect(copy).toEqual(state);
        expect(play(after, {}, copy)).toEqual(play(after, {}, state));
      }),
    );
  });

  test('is never changed by later looks', () => {
    fc.assert(
      fc.property(looks, looks, (before, after) => {
        const state = play(before);
        const copy = structuredClone(state);
        play(after, {}, state);
        expect(state).toEqual(copy);
      }),
    );
  });

  test('stays under 1 KB, even after a day of huge counts and a long reason', () => {
    const huge = step(123_456_789, 1_234_567, 876_543_210, 8_765_432, {
      slow: { candidate: 12_345_678, stable: 87_654_321 },
    });
    const lost: Step = { candidate: null, stable: null, blind: 'x'.repeat(1_000) };
    const state = play([...repeated(500, huge), { ...huge, stepUp: true }, ...repeated(20, lost)]);
    expect(JSON.stringify({ ...state, lastId: 86_400 }).length).toBeLessThan(1_024);
  });

  test('never has less evidence after one more error of the candidate', () => {
    const { verdict } = sequentialJudge(rulesFrom());
    fc.assert(
      fc.property(looks, looks, (before, after) => {
        const course = (errors: number) => verdict(play([...before, step(10, errors, 90, 1), ...after])).logE.combined;
        for (let errors = 0; errors < 5; errors += 1) {
          expect(course(errors + 1)).toBeGreaterThanOrEqual(course(errors) - 1e-9);
        }
      }),
    );
  });
});

describe('false alarms', () => {
  const ROLLOUTS = 1_000;
  const LOOKS = 40;
  const REQUESTS = 250;
  const ALPHA = 0.01;

  interface World {
    /** Error rate of both releases at a look. */
    rate(look: number, random: () => number): number;
    /** The candidate's weight at a look, from what was seen so far. */
    weight(look: number, state: SequentialState): number;
    /** How many errors come at once. */
    cluster?: number;
  }

  const grows = (look: number) => [0.1, 0.25, 0.5, 0.75][Math.floor((look * 4) / LOOKS)] ?? 1;

  /** How many rollouts of a candidate that is just like stable are called unhealthy. */
  function alarms({ rate, weight, cluster = 1 }: World, choice: RulesChoice = {}): number {
    const { start, tick } = sequentialJudge(rulesFrom({ alpha: ALPHA, ceiling: 0.05, ...choice }));
    const random = seeded(7);
    let unhealthy = 0;
    for (let rollout = 0; rollout < ROLLOUTS; rollout += 1) {
      let state = start();
      let before = 0;
      for (let look = 0; look < LOOKS && state.unhealthyBy === null; look += 1) {
        const now = weight(look, state);
        const p = rate(look, random);
        const requests = Math.round(REQUESTS * now);
        const errors = (of: number) => Math.min(of, cluster * binomial(of, p / cluster, random));
        const counts = [requests, errors(requests), REQUESTS - requests, errors(REQUESTS - requests)] as const;
        state = tick(state, { id: look, ...step(...counts), stepUp: now > before });
        before = now;
      }
      if (state.unhealthyBy !== null) unhealthy += 1;
    }
    return unhealthy;
  }

  /** Whether the count can be had by chance at all, at 1 in 10,000, if alpha is kept. */
  const kept = (count: number) => atLeast(count, ROLLOUTS, ALPHA) > 1e-4;

  test.each<[string, World]>([
    ['rates that drift', { rate: (look) => 0.01 * (1 + Math.sin(look / 5)), weight: grows }],
    ['outages that both releases share', { rate: (_, random) => (random() < 0.05 ? 0.4 : 0.002), weight: grows }],
    [
      // More traffic where it looks bad, so that it may cross, and hardly any where it looks good.
      'weights that depend on the evidence',
      { rate: () => 0.01, weight: (_, { peak, unhealthyBy }) => (unhealthyBy === null && peak > 1 ? 0.5 : 0.05) },
    ],
  ])('stay under alpha with %s', (_, world) => {
    expect(kept(alarms(world))).toBe(true);
  });

  test('are too many if every failure comes three times, unless the dispersion accounts for it', () => {
    const clustered: World = { rate: () => 0.01, weight: grows, cluster: 3 };
    expect(kept(alarms(clustered))).toBe(false);
    expect(kept(alarms(clustered, { stakes: { dispersion: 3 } }))).toBe(true);
  });
});
