import { gather, NO_ARMS } from '../../src/judge/gather.js';
import { judgeOf } from '../../src/judge/sources.js';
import type { Counts, Judge, JudgeSetup, JudgeState } from '../../src/judge/types.js';
import { specFor } from '../support/specs.js';
import { atLeast, binomial, seeded } from './random.js';

const { judge: rules } = specFor({ type: 'direct', bake: 1 }).health;

function setup(more: Partial<JudgeSetup> = {}): JudgeSetup {
  const sources = more.sources ?? ['users'];
  return { rules, baselines: {}, sources, users: sources, firing: [], ...more };
}

/** Requests and errors. */
function of(requests: number, errors = 0): Counts {
  return { requests, errors };
}

/** Hands to feed a judge: each call is one closed tick. */
function hearing(judge: Judge, weight = 10) {
  let state = judge.start(weight);
  let id = 0;
  return {
    get state() {
      return state;
    },
    set state(next: JudgeState) {
      state = next;
    },
    says: () => judge.verdict(state),
    tick(candidate: Counts | null, stable: Counts | null, source = 'users', at = ++id) {
      state = judge.tick(state, { source, id: at, stable, candidate });
      return judge.verdict(state);
    },
    blind(why: string, source = 'users') {
      state = judge.tick(state, { source, id: ++id, stable: null, candidate: null, blind: why });
      return judge.verdict(state);
    },
    enter(to: number) {
      state = judge.enter(state, to);
      return judge.verdict(state);
    },
    alarms(said: Record<string, boolean> | { blind: string }) {
      state = judge.alarms(state, said);
      return judge.verdict(state);
    },
  };
}

describe('without proof of harm', () => {
  test('a candidate without calls is noData, and a source that was never read says so too', () => {
    const hear = hearing(judgeOf(setup()));
    expect(hear.says()).toMatchObject({ state: 'noData', why: 'no request of the candidate was counted by users' });
    expect(hear.tick(null, of(90))).toMatchObject({ state: 'noData' });
  });

  test('it takes the minimum number of requests to be healthy', () => {
    const hear = hearing(judgeOf(setup()));
    expect(hear.tick(of(19), of(171))).toMatchObject({ state: 'undecided' });
    expect(hear.says().why).toContain('fewer than 20 requests');
    expect(hear.says().few).toBe(true);
    expect(hear.tick(of(1), of(9))).toMatchObject({ state: 'healthy', passes: false });
  });

  test('too few requests is the only doubt if everything was read and nothing speaks against the candidate', () => {
    const doubtOf = (...said: ((hear: ReturnType<typeof hearing>) => void)[]) => {
      const hear = hearing(judgeOf(setup()));
      for (const each of said) each(hear);
      const { state, few } = hear.says();
      return [state, few];
    };
    expect(doubtOf()).toEqual(['noData', true]);
    expect(doubtOf((hear) => hear.tick(null, of(90)))).toEqual(['noData', true]);
    expect(doubtOf((hear) => hear.tick(of(19), of(171)))).toEqual(['undecided', true]);
    expect(doubtOf((hear) => hear.tick(of(20), of(171)))).toEqual(['healthy', false]);
    expect(doubtOf((hear) => hear.tick(of(19, 2), of(171)))).toEqual(['undecided', false]);
    expect(doubtOf((hear) => hear.blind('access denied'))).toEqual(['noData', false]);
    expect(doubtOf((hear) => hear.alarms({ blind: 'access denied' }))).toEqual(['noData', true]);
  });

  test('a bake may pass early once the candidate is shown to be no worse', () => {
    const hear = hearing(judgeOf(setup()));
    for (let i = 0; i < 60; i += 1) hear.tick(of(20), of(180));
    expect(hear.says()).toMatchObject({ state: 'healthy', passes: true, needed: 0 });
  });

  test('it does not pass early while one of its sources has counted nothing', () => {
    const hear = hearing(judgeOf(setup({ sources: ['users', 'logs'] })));
    for (let i = 0; i < 60; i += 1) hear.tick(of(20), of(180));
    expect(hear.says()).toMatchObject({ state: 'noData', passes: false, needed: null });
  });

  test('a source that cannot be read is blind after three failures, until it reports on the candidate', () => {
    const hear = hearing(judgeOf(setup()));
    hear.tick(of(100), of(900));
    hear.blind('timed out');
    expect(hear.blind('timed out').state).toBe('healthy');
    expect(hear.blind('timed out')).toMatchObject({
      state: 'blind',
      why: 'users could not be read 3 times in a row: timed out',
    });
    expect(hear.tick(null, of(9)).state).toBe('blind');
    expect(hear.tick(of(1), of(9)).state).toBe('healthy');
  });

  test('a source that could never be read blocks a healthy verdict', () => {
    const hear = hearing(judgeOf(setup({ sources: ['users', 'logs'] })));
    hear.tick(of(100), of(900));
    expect(hear.blind('access denied', 'logs')).toMatchObject({
      state: 'noData',
      why: 'logs could not be read yet: access denied',
    });
  });

  test('half the evidence is a doubt', () => {
    const hear = hearing(judgeOf(setup()));
    hear.tick(of(100, 2), of(900));
    expect(hear.says().logE).toBeGreaterThan(hear.says().limit / 2);
    expect(hear.says()).toMatchObject({ state: 'undecided' });
    expect(hear.says().why).toContain('too much to continue');
  });

  test('a candidate over the ceiling does not pass just because stable is as bad', () => {
    const hear = hearing(judgeOf(setup()));
    for (let i = 0; i < 20; i += 1) hear.tick(of(10, 4), of(90, 36));
    expect(hear.says()).toMatchObject({ state: 'undecided' });
    expect(hear.says().why).toContain('over the ceiling of 5 %');
  });
});

describe("users' requests and our probes' calls", () => {
  const both = () =>
    hearing(judgeOf(setup({ sources: ['probe smoke', 'metric requests'], users: ['metric requests'] })));
  type Hearing = ReturnType<typeof hearing>;
  const probes = (hear: Hearing, calls: number) => {
    for (let i = 0; i < calls; i += 1) hear.tick(of(1), of(1), 'probe smoke');
  };

  test('a silent metric is noData, by name, however well the probes do', () => {
    const hear = both();
    probes(hear, 1_200);
    const why =
      'no request of the candidate was counted by metric requests; 1,200 probe calls say nothing about your users';
    expect(hear.says()).toMatchObject({ state: 'noData', why, passes: false });
    // Stable's users alone, and none at all, are no request of the candidate either.
    expect(hear.tick(null, of(900), 'metric requests')).toMatchObject({ state: 'noData', why });
    expect(hear.tick(of(0), of(900), 'metric requests')).toMatchObject({ state: 'noData', why });
  });

  test('each of several metrics has to report, and the silent ones are named', () => {
    const metrics = ['metric logs', 'metric pages', 'metric carts'];
    const hear = hearing(judgeOf(setup({ sources: metrics })));
    hear.tick(of(500), of(4_500), 'metric logs');
    expect(hear.says()).toMatchObject({
      state: 'noData',
      why: 'no request of the candidate was counted by metric pages, metric carts',
    });
    for (const name of metrics) hear.tick(of(500), of(4_500), name);
    expect(hear.says().state).toBe('healthy');
  });

  test('a metric has to report at each weight', () => {
    const hear = both();
    probes(hear, 30);
    expect(hear.tick(of(100), of(900), 'metric requests').state).toBe('healthy');
    hear.enter(50);
    probes(hear, 30);
    expect(hear.says().state).toBe('noData');
  });

  test('the probes do not make up for too few users, nor do two metrics that may count the same ones', () => {
    const hear = both();
    probes(hear, 300);
    expect(hear.tick(of(19), of(171), 'metric requests')).toMatchObject({ state: 'undecided' });
    expect(hear.says().why).toMatch(/^metric requests: 0 % of 19 .*; fewer than 20 requests of the candidate$/);
    const two = hearing(judgeOf(setup({ sources: ['metric logs', 'metric pages'] })));
    two.tick(of(500), of(4_500), 'metric logs');
    expect(two.tick(of(19), of(171), 'metric pages').state).toBe('undecided');
    expect(two.tick(of(1), of(9), 'metric pages').state).toBe('healthy');
  });

  test('probes prove harm that no user has met yet', () => {
    const hear = both();
    for (let i = 0; i < 30; i += 1) hear.tick(of(1, 1), of(1), 'probe smoke');
    expect(hear.says()).toMatchObject({ state: 'unhealthy', counted: 'users', candidate: of(0) });
    expect(hear.says().why).toMatch(/^100 % of \d+/);
  });

  test('users who meet harm outweigh probes that meet none', () => {
    const hear = both();
    for (let i = 0; i < 60 && hear.says().state !== 'unhealthy'; i += 1) {
      probes(hear, 5);
      hear.tick(of(4, 1), of(12), 'metric requests');
    }
    expect(hear.says()).toMatchObject({ state: 'unhealthy', counted: 'users' });
    expect(hear.says().why).toMatch(/^metric requests: /);
  });

  test("the headline and its words are the users'; the sources are shown separately", () => {
    const hear = both();
    probes(hear, 300);
    hear.tick(of(40), of(360), 'metric requests');
    expect(hear.says()).toMatchObject({
      state: 'healthy',
      counted: 'users',
      candidate: of(40),
      stable: of(360),
      sources: [
        { source: 'probe smoke', of: 'probes', candidate: of(300), stable: of(300) },
        { source: 'metric requests', of: 'users', candidate: of(40), stable: of(360) },
      ],
    });
    expect(hear.says().why).toMatch(/^metric requests: 0 % of 40 against 0 % of 360/);
  });

  test('if metrics may count the same requests, the headline is one of them, the one that shows harm if any does', () => {
    const hear = hearing(judgeOf(setup({ sources: ['metric logs', 'metric pages'] })));
    hear.tick(of(200), of(1_800), 'metric logs');
    hear.tick(of(90), of(810), 'metric pages');
    expect(hear.says()).toMatchObject({ state: 'healthy', candidate: of(200) });
    hear.tick(of(10, 10), of(90), 'metric pages');
    expect(hear.says()).toMatchObject({ state: 'unhealthy', candidate: of(100, 10) });
  });

  test("a bake passes early on the users' proof, not on the probes'", () => {
    const hear = both();
    probes(hear, 2_000);
    expect(hear.says()).toMatchObject({ passes: false });
    hear.tick(of(40), of(360), 'metric requests');
    expect(hear.says()).toMatchObject({ state: 'healthy', passes: false });
    expect(hear.says().needed).toBeGreaterThan(100);
    for (let i = 0; i < 60; i += 1) hear.tick(of(20), of(180), 'metric requests');
    expect(hear.says()).toMatchObject({ state: 'healthy', passes: true, needed: 0 });
  });

  test('before it has traffic the candidate has no users, and only the probes count', () => {
    const hear = hearing(
      judgeOf(setup({ sources: ['probe smoke', 'metric requests'], users: ['metric requests'] })),
      0,
    );
    expect(hear.says()).toMatchObject({ state: 'noData', counted: 'probes' });
    for (let i = 0; i < 30; i += 1) hear.tick(of(1), null, 'probe smoke');
    expect(hear.says()).toMatchObject({ state: 'healthy', counted: 'probes', candidate: of(30) });
  });

  test('for a release without metrics the probes are enough, all their calls together', () => {
    const hear = hearing(judgeOf(setup({ sources: ['probe smoke', 'probe page'], users: [] })));
    hear.tick(of(10), of(10), 'probe smoke');
    expect(hear.tick(of(9), of(9), 'probe page').state).toBe('undecided');
    expect(hear.tick(of(1), of(1), 'probe page')).toMatchObject({
      state: 'healthy',
      counted: 'probes',
      candidate: of(20),
    });
  });
});

describe('proof of harm', () => {
  test('comes after a handful of failed requests, with the numbers, and stays for good', () => {
    const hear = hearing(judgeOf(setup()));
    for (let i = 0; i < 30; i += 1) hear.tick(of(2), of(18));
    let failed = 0;
    while (hear.says().state !== 'unhealthy') {
      hear.tick(of(2, 1), of(18));
      failed += 1;
    }
    expect(failed).toBeLessThanOrEqual(5);
    expect(hear.says().why).toMatch(
      /^[\d.]+ % of \d+ against 0 % of \d+: \d errors against none, evidence 1 : [\d,]+$/,
    );
    for (let i = 0; i < 1_000; i += 1) hear.tick(of(2), of(18, 1));
    expect(hear.says().state).toBe('unhealthy');
  });

  test('waits for the minimum number of errors, however strong the evidence is before', () => {
    const hear = hearing(judgeOf(setup({ rules: { ...rules, minErrors: 6 } })));
    for (let errors = 1; errors < 6; errors += 1) hear.tick(of(1, 1), of(9));
    expect(hear.says().logE).toBeGreaterThan(hear.says().limit);
    expect(hear.says()).toMatchObject({ state: 'undecided', candidate: of(5, 5) });
    expect(hear.tick(of(1, 1), of(9))).toMatchObject({ state: 'unhealthy', candidate: of(6, 6) });
  });

  test('does not come from a tick that is reported twice', () => {
    const hear = hearing(judgeOf(setup()));
    hear.tick(of(10, 1), of(90), 'users', 1);
    const once = JSON.stringify(hear.state);
    for (let i = 0; i < 20; i += 1) hear.tick(of(10, 1), of(90), 'users', 1);
    expect(JSON.stringify(hear.state)).toBe(once);
  });

  test('needs more from one source if others are silent, and a late report of another does not raise the evidence', () => {
    const alone = hearing(judgeOf(setup()));
    const among = hearing(judgeOf(setup({ sources: ['users', 'logs'] })));
    for (const hear of [alone, among]) hear.tick(of(10, 2), of(90));
    expect(among.says().logE).toBeLessThan(alone.says().logE);
    const before = among.says().logE;
    // No errors anywhere: this source's evidence stays as it was, near 1.
    expect(among.tick(of(1), of(9), 'logs').logE).toBeLessThanOrEqual(before);
  });

  test('does not come from a source that is only shown', () => {
    const hear = hearing(judgeOf(setup()));
    for (let i = 0; i < 30; i += 1) {
      hear.tick(of(2), of(18));
      hear.tick(of(2, 2), of(18), 'trial');
    }
    expect(hear.says()).toMatchObject({ state: 'healthy', candidate: { requests: 60, errors: 0 } });
  });

  test('names the source if there are several', () => {
    const hear = hearing(judgeOf(setup({ sources: ['users', 'logs'] })));
    for (let i = 0; i < 10; i += 1) {
      hear.tick(of(2), of(18));
      hear.tick(of(2, 2), of(18), 'logs');
    }
    expect(hear.says()).toMatchObject({ state: 'unhealthy' });
    expect(hear.says().why).toMatch(/^logs: /);
  });

  test('comes from slow answers too', () => {
    const hear = hearing(judgeOf(setup()));
    for (let i = 0; i < 40; i += 1) {
      hear.tick({ requests: 10, errors: 0, slow: 5 }, { requests: 90, errors: 0, slow: 1 });
    }
    expect(hear.says()).toMatchObject({ state: 'unhealthy', candidate: { slow: 200 } });
    expect(hear.says().why).toMatch(/^slow are 50 % of \d+ against 1.1 % of \d+/);
  });

  test('takes longer if errors come in clusters', () => {
    const errors = (dispersion: number | null, measured: number | null) => {
      const baselines = { users: { counts: of(5_000, 5), dispersion: measured } };
      const hear = hearing(judgeOf(setup({ rules: { ...rules, dispersion }, baselines })));
      let failed = 0;
      for (; hear.says().state !== 'unhealthy'; failed += 1) hear.tick(of(1, 1), of(9));
      return failed;
    };
    expect(errors(null, 3)).toBeGreaterThan(errors(null, null));
    expect(errors(3, null)).toBe(errors(null, 3));
  });
});

describe('an outage that both releases share', () => {
  /** A minute at 10 %, 20 seconds of it with 30 % errors everywhere, counted as the sources do in seconds. */
  function isBlamed(seed: number): boolean {
    const random = seeded(seed);
    const counted = (requests: number, rate: number) => of(requests, binomial(requests, rate, random));
    const hear = hearing(judgeOf(setup({ sources: ['probe', 'users'], users: ['users'] })));
    for (let second = 1; second <= 60; second += 1) {
      const rate = second > 20 && second <= 40 ? 0.3 : 0.001;
      hear.tick(counted(1, rate), counted(1, rate), 'probe', second);
      hear.tick(counted(2, rate), counted(18, rate), 'users', second);
    }
    return hear.says().state === 'unhealthy';
  }

  test('is not blamed on the candidate if stable has one request a second, more than alpha allows', () => {
    const rollouts = 300;
    let blamed = 0;
    for (let seed = 1; seed <= rollouts; seed += 1) if (isBlamed(seed)) blamed += 1;
    expect(atLeast(blamed, rollouts, rules.alpha)).toBeGreaterThan(1e-4);
  });

  test('is told from a candidate over the ceiling once stable would have failed at that rate', () => {
    const hear = hearing(judgeOf(setup({ rules: { ...rules, ceiling: 0.05 } })));
    // Stable is close to the ceiling, so that comparing the two alone takes long.
    for (let i = 1; i <= 40; i += 1) hear.tick(of(50, 6), of(50, 2));
    expect(hear.says().why).toContain('the ceiling is 5 %');
  });
});

describe('collecting requests for the ceiling', () => {
  const arms = (stable: Counts, candidate: Counts) => ({ stable, candidate });
  const tallies = (stable: Counts, candidate: Counts) => ({
    stable: { ...stable, slow: 0 },
    candidate: { ...candidate, slow: 0 },
  });
  const beside = { ceiling: 0.05, alone: false };

  test('waits until stable has had enough requests, then bets on all of them', () => {
    const first = gather(NO_ARMS, tallies(of(59), of(7, 2)), beside);
    expect(first).toEqual({ bet: NO_ARMS, left: arms(of(59), of(7, 2)) });
    expect(gather(first.left, tallies(of(1, 1), of(1)), beside)).toEqual({
      bet: arms(of(60, 1), of(8, 2)),
      left: NO_ARMS,
    });
  });

  test('waits for requests, never for outcomes', () => {
    for (const errors of [0, 10, 59])
      expect(gather(NO_ARMS, tallies(of(59, errors), of(9, 9)), beside).bet).toEqual(NO_ARMS);
  });

  test('does not wait if stable has no traffic', () => {
    const { bet, left } = gather(NO_ARMS, tallies(of(0), of(1, 1)), { ceiling: 0.05, alone: true });
    expect({ bet, left }).toMatchObject({ bet: arms(of(0), of(1, 1)), left: NO_ARMS });
  });
});

describe('a new weight', () => {
  test('starts with no counts, and with the evidence of the weights before', () => {
    const hear = hearing(judgeOf(setup()));
    hear.tick(of(100, 2), of(900));
    const { logE } = hear.says();
    expect(hear.enter(50)).toMatchObject({ state: 'noData', logE, candidate: { requests: 0, errors: 0 } });
    hear.tick(of(50), of(50));
    expect(hear.says().logE).not.toBe(0);
    expect(hear.says().candidate).toEqual({ requests: 50, errors: 0 });
    const { state } = hear;
    expect(hear.enter(50)).toBeDefined();
    expect(hear.state).toBe(state);
  });

  test('asks at 100 %, with nothing to compare with, for a comparison if the ceiling is crossed; back at half that test starts again', () => {
    const hear = hearing(judgeOf(setup()), 50);
    for (let i = 0; i < 20; i += 1) hear.tick(of(10), of(10));
    hear.enter(100);
    while (hear.says().state !== 'unhealthy') hear.tick(of(20, 8), null);
    expect(hear.says()).toMatchObject({ state: 'unhealthy', probeBack: true });
    expect(hear.says().why).toContain('the ceiling is 5 %');
    expect(hear.enter(50)).toMatchObject({ state: 'noData', probeBack: false });
    // The same outage, seen by both.
    for (let i = 0; i < 50; i += 1) hear.tick(of(10, 4), of(10, 4));
    expect(hear.says().state).not.toBe('unhealthy');
  });

  test('asks for no comparison if there is something to compare with', () => {
    const hear = hearing(judgeOf(setup()), 10);
    while (hear.says().state !== 'unhealthy') hear.tick(of(10, 4), of(90));
    expect(hear.says().probeBack).toBe(false);
  });
});

describe('an alarm', () => {
  test('that goes off during the rollout makes the candidate unhealthy', () => {
    const hear = hearing(judgeOf(setup()));
    expect(hear.alarms({ errors: false }).state).toBe('noData');
    expect(hear.alarms({ errors: true })).toMatchObject({
      state: 'unhealthy',
      why: 'alarm errors went off during the rollout',
    });
    expect(hear.alarms({ errors: false }).state).toBe('unhealthy');
  });

  test('that fired before the rollout does not stop the fix, until it has been quiet once', () => {
    const hear = hearing(judgeOf(setup({ firing: ['errors'] })));
    expect(hear.alarms({ errors: true }).state).toBe('noData');
    expect(hear.alarms({ errors: false }).state).toBe('noData');
    expect(hear.alarms({ errors: true }).state).toBe('unhealthy');
  });

  test('that cannot be read three times in a row makes the judge blind', () => {
    const hear = hearing(judgeOf(setup()));
    hear.tick(of(100), of(900));
    hear.alarms({ blind: 'access denied' });
    expect(hear.alarms({ blind: 'access denied' }).state).toBe('healthy');
    expect(hear.alarms({ blind: 'access denied' })).toMatchObject({
      state: 'blind',
      why: 'the alarms could not be read 3 times in a row: access denied',
    });
    expect(hear.alarms({ errors: false }).state).toBe('healthy');
  });
});

test('the state is under 1 KB a source, and continues from JSON as if nothing had happened', () => {
  const judge = judgeOf(setup());
  const hear = hearing(judge);
  const other = hearing(judge);
  for (let i = 0; i < 300; i += 1) {
    for (const each of [hear, other]) {
      each.tick({ requests: 7, errors: i % 3 === 0 ? 1 : 0, slow: 1 }, { requests: 63, errors: i % 3, slow: 9 });
    }
    other.state = JSON.parse(JSON.stringify(other.state)) as JudgeState;
  }
  expect(other.says()).toEqual(hear.says());
  expect(JSON.stringify(hear.state.sources.users?.counts).length).toBeLessThan(1_024);
});
