/** One verdict from several sources, at its edges: what each source adds, what it is silent about, and which one is named. */
import { judgeOf, rulesFrom, sequentialJudge } from '../../src/judge/index.js';
import { logEvidence } from '../../src/judge/kernel.js';
import type { Counts, JudgeSetup, Tick } from '../../src/judge/types.js';
import { specFor } from '../support/specs.js';

const { judge: rules } = specFor({ type: 'direct', bake: 1 }).health;
const PROBE = 'probe smoke';
const USERS = 'metric requests';
const BOTH = { sources: [PROBE, USERS], users: [USERS] };

const of = (requests: number, errors = 0): Counts => ({ requests, errors });

function hearing(
  { rules: own, ...more }: Partial<Omit<JudgeSetup, 'rules'>> & { rules?: Partial<typeof rules> } = {},
  weight = 10,
) {
  const sources = more.sources ?? ['users'];
  const setup = { baselines: {}, sources, users: sources, firing: [], ...more };
  const judge = judgeOf({ ...setup, rules: { ...rules, ...own } });
  let state = judge.start(weight);
  let id = 0;
  const said = () => judge.verdict(state);
  const told = (tick: Tick) => {
    state = judge.tick(state, tick);
    return said();
  };
  return {
    said,
    told,
    state: () => state,
    tick(candidate: Counts | null, stable: Counts | null, source = sources[0] ?? '', and: Partial<Tick> = {}) {
      id += 1;
      return told({ source, id, stable, candidate, ...and });
    },
    blind: (source = sources[0] ?? '') => {
      id += 1;
      return told({ source, id, stable: null, candidate: null, blind: 'access denied' });
    },
    enter(to: number) {
      state = judge.enter(state, to);
    },
  };
}

describe('a source', () => {
  test('stakes as for a rise of the weight with the first look of each weight, and with no other', () => {
    const { start, tick, verdict } = sequentialJudge(rulesFrom({ ceiling: rules.ceiling ?? 0 }));
    const hear = hearing();
    let alone = start();
    for (const stepUp of [true, false, false, true, false]) {
      if (stepUp && alone.lastId > 0) hear.enter(50);
      hear.tick(of(10, 1), of(90, 1));
      alone = tick(alone, { id: alone.lastId + 1, candidate: of(10, 1), stable: of(90, 1), stepUp });
    }
    expect(hear.said().logE).toBeCloseTo(verdict(alone).logE.combined, 12);
  });

  test('is held against the ceiling once stable had 60 requests at 5 %, with all that was counted until then', () => {
    const hear = hearing();
    const ceiling = () => logEvidence(hear.state().sources.users?.counts.ceiling ?? []);
    hear.tick(of(1, 1), of(59));
    expect(ceiling()).toBeCloseTo(0, 12);
    expect(hear.state().sources.users?.gathered).toEqual({ stable: of(59), candidate: of(1, 1) });
    hear.tick(of(1, 1), of(1));
    expect(ceiling()).toBeGreaterThan(2);
    expect(hear.state().sources.users?.gathered).toEqual({ stable: of(0), candidate: of(0) });
  });

  test('is not heard twice, nor late, also while its counts are gathered', () => {
    const hear = hearing();
    const tick = { source: 'users', stable: of(9), candidate: of(1, 1) };
    hear.told({ ...tick, id: 5 });
    const once = hear.state();
    for (const id of [5, 4]) {
      hear.told({ ...tick, id });
      expect(hear.state()).toBe(once);
    }
  });

  test('was read once it said anything of the candidate, be it that there was nothing', () => {
    const stableOnly = hearing();
    stableOnly.tick(null, of(90));
    expect(stableOnly.blind().why).toBe('users could not be read yet: access denied');
    const read = hearing();
    read.tick(null, null, 'users', { seen: true });
    expect(read.blind().why).toBe('no request of the candidate was counted by users');
  });

  test('stays blind, and says why, while it speaks of stable alone', () => {
    const hear = hearing();
    hear.tick(of(100), of(900));
    for (let i = 0; i < 3; i += 1) hear.blind();
    const blind = { state: 'blind', why: 'users could not be read 3 times in a row: access denied' };
    expect(hear.said()).toMatchObject(blind);
    expect(hear.tick(null, of(9))).toMatchObject(blind);
  });

  test('may count slow answers of one release alone', () => {
    const candidate = hearing();
    candidate.tick({ ...of(10), slow: 5 }, null);
    expect(candidate.said()).toMatchObject({ candidate: { slow: 5 }, stable: { slow: 0 } });
    candidate.tick({ ...of(10), slow: 1 }, of(10));
    expect(candidate.said()).toMatchObject({ candidate: { slow: 6 }, stable: { slow: 0 } });
    const stable = hearing();
    stable.tick(null, { ...of(10), slow: 5 });
    expect(stable.said()).toMatchObject({ candidate: { slow: 0 }, stable: { slow: 5 } });
    stable.tick(of(10), { ...of(10), slow: 5 });
    expect(stable.said()).toMatchObject({ candidate: { slow: 0 }, stable: { slow: 10 } });
  });

  test('goes by the rules of the rollout, and by what stable did before where they say nothing', () => {
    const words = (more: Parameters<typeof hearing>[0]) => hearing(more).tick(of(100, 40), of(900, 360)).why;
    const baselines = { users: { counts: of(10_000, 500), dispersion: null } };
    const margin = (more: Parameters<typeof hearing>[0]) =>
      /regression of (\S+)/.exec(hearing(more).tick(of(100), of(900)).why)?.[1];
    expect(margin({})).toBe('1');
    expect(margin({ rules: { margin: 0.03 } })).toBe('3');
    expect(margin({ baselines })).toBe('5');
    expect(words({ rules: { ceiling: 0.3 } })).toContain('over the ceiling of 30 %');
    expect(words({ rules: { ceiling: null } })).toContain('over the ceiling of 5 %');
    // Three times a bound that is a little above 5 %: 5 % + sqrt(2 · 5 % · 95 % / 10,000 · about 8) = 5.9 %.
    expect(words({ rules: { ceiling: null }, baselines })).toMatch(/over the ceiling of 18 %/);
  });

  test('looks for its proof by the chance that the rollout allows', () => {
    const wide = { margin: 0.5, ceiling: 0.5, minRequests: 1 };
    const says = (alpha: number) => hearing({ rules: { ...wide, alpha } }).tick(of(25, 3), of(225));
    expect(says(1e-9).logE).toBeGreaterThan(Math.log(100));
    expect(says(1e-9)).toMatchObject({ state: 'healthy', needed: 0 });
    expect(says(0.01)).toMatchObject({ state: 'unhealthy', needed: null });
  });

  test('with fewer errors than the least is not unhealthy by itself either, whatever it has shown', () => {
    const hear = hearing({ rules: { minErrors: 6, ceiling: 0.5 } });
    hear.tick(of(5, 5), of(45));
    expect(hear.said().logE).toBeGreaterThan(hear.said().limit);
    for (let i = 0; i < 60; i += 1) hear.tick(of(50), of(450, 40));
    expect(hear.said().logE).toBeLessThan(hear.said().limit / 2);
    expect(hear.said()).toMatchObject({ state: 'healthy', needed: 0 });
  });
});

describe('of several sources', () => {
  test('the evidence of none is none', () => {
    expect(hearing().said().logE).toBe(0);
    expect(hearing({ sources: ['users', 'logs'] }).said().logE).toBe(0);
  });

  test('what is needed is what the one needs that needs most, and nothing helps where one points the other way', () => {
    const needed = (...counts: [string, Counts, Counts][]) => {
      const hear = hearing({ sources: ['users', 'logs'] });
      let most: number | null = null;
      for (const [source, candidate, stable] of counts) most = hear.tick(candidate, stable, source).needed;
      return most;
    };
    const few: [Counts, Counts] = [of(100), of(900)];
    const many: [Counts, Counts] = [of(2_000), of(18_000)];
    const alone = hearing().tick(...few).needed ?? 0;
    expect(alone).toBeGreaterThan(100);
    expect(hearing().tick(...many).needed).toBe(0);
    expect(needed(['users', ...few], ['logs', ...many])).toBe(alone);
    expect(needed(['logs', ...few], ['users', ...many])).toBe(alone);
    const bad: [Counts, Counts] = [of(100, 2), of(900)];
    expect(needed(['users', ...bad], ['logs', ...few])).toBeNull();
    expect(needed(['logs', ...bad], ['users', ...few])).toBeNull();
  });

  test('the one that speaks most against the candidate is named in a doubt', () => {
    for (const [bad, good] of [
      ['users', 'logs'],
      ['logs', 'users'],
    ] as const) {
      const hear = hearing({ sources: ['users', 'logs'], rules: { ceiling: 0.5 } });
      hear.tick(of(100, 2), of(900), bad);
      hear.tick(of(100), of(900), good);
      hear.tick(of(25, 1), of(225), bad);
      expect(hear.said()).toMatchObject({ state: 'undecided', why: expect.stringContaining('too much to continue') });
      expect(hear.said().why).toMatch(new RegExp(`^${bad}: `));
    }
  });

  test('the one that has counted most is the headline, wherever it stands', () => {
    const hear = hearing({ sources: ['users', 'logs', 'pages'] });
    for (const [source, requests] of [
      ['users', 90],
      ['logs', 200],
      ['pages', 100],
    ] as const) {
      hear.tick(of(requests), of(9 * requests), source);
    }
    expect(hear.said()).toMatchObject({ state: 'healthy', candidate: of(200), stable: of(1_800) });
  });
});

describe('a bake does not pass early', () => {
  test('on a proof that it is no worse where both are over the ceiling', () => {
    const hear = hearing({ rules: { margin: 0.5 } });
    for (let i = 0; i < 20; i += 1) hear.tick(of(10, 4), of(90, 36));
    expect(hear.said()).toMatchObject({ state: 'undecided', needed: 0, passes: false });
  });
});

describe('a ceiling asks for a comparison', () => {
  test('where no source has any request of stable, and in no other case', () => {
    const over = (stable: Counts | null) => {
      const hear = hearing({ sources: ['users', 'logs'] }, 50);
      if (stable !== null) hear.tick(of(90), stable, 'logs');
      for (let i = 0; i < 20; i += 1) hear.tick(of(20, 8), null, 'users');
      expect(hear.said().why).toContain('the ceiling is 5 %');
      return hear.said().probeBack;
    };
    expect([over(null), over(of(0)), over(of(1))]).toEqual([true, true, false]);
  });

  test('also beside a stable release that is near it, it does not', () => {
    const hear = hearing({}, 50);
    for (let i = 0; i < 40; i += 1) hear.tick(of(50, 6), of(50, 2));
    expect(hear.said()).toMatchObject({ state: 'unhealthy', probeBack: false });
    expect(hear.said().why).toContain('the ceiling is 5 %');
  });

  test('and what was seen beside stable before asks for none at 100 %', () => {
    const hear = hearing({ rules: { minErrors: 6 } }, 50);
    for (let i = 0; i < 5; i += 1) hear.tick(of(10, 1), of(10_000));
    hear.enter(100);
    expect(hear.said().state).not.toBe('unhealthy');
    expect(hear.tick(of(10, 1), null)).toMatchObject({ state: 'unhealthy', probeBack: false });
  });
});

describe('half the limit, in nats, is a doubt', () => {
  test.each([
    [0.51, 'undecided'],
    [0.49, 'healthy'],
  ])('at %d of it the candidate is %s', (share, state) => {
    const counts = [of(100, 2), of(900)] as const;
    const own = { ceiling: 0.5 };
    // The evidence does not depend on the limit that it is held against.
    const { logE } = hearing({ rules: own }).tick(...counts);
    expect(hearing({ rules: { ...own, alpha: Math.exp(-logE / share) } }).tick(...counts).state).toBe(state);
  });
});

describe('too few requests', () => {
  test('of the only probe are a doubt', () => {
    const hear = hearing({ sources: [PROBE], users: [] });
    expect(hear.tick(of(19), of(19))).toMatchObject({ state: 'undecided', few: true });
    expect(hear.tick(of(1), of(1))).toMatchObject({ state: 'healthy', few: false });
  });

  test('one is enough where one is asked for', () => {
    expect(hearing({ rules: { minRequests: 1 } }).tick(of(1), of(9)).state).toBe('healthy');
  });

  test('are the only doubt where a source was read and is lost for a moment, and are no matter where it is blind', () => {
    const hear = hearing();
    hear.tick(of(5), of(45));
    expect(hear.blind()).toMatchObject({ state: 'undecided', few: true });
    hear.blind();
    expect(hear.blind()).toMatchObject({ state: 'blind', few: false });
  });

  test('are not the only doubt where they are over the ceiling, or already half an evidence', () => {
    expect(hearing().tick(of(10, 2), of(90, 18))).toMatchObject({ state: 'undecided', few: false });
    const hear = hearing({ rules: { ceiling: 0.5 } });
    hear.tick(of(19, 2), of(171));
    expect(hear.said().logE).toBeGreaterThan(hear.said().limit / 2);
    expect(hear.said()).toMatchObject({ state: 'undecided', few: false });
  });

  test('are the only doubt where one of two metrics, or every probe, has not been heard yet', () => {
    const hear = hearing({ sources: ['users', 'logs'] });
    expect(hear.tick(of(100), of(900))).toMatchObject({ state: 'noData', few: true, needed: null });
    expect(hearing({ sources: [PROBE], users: [] }).said()).toMatchObject({
      ...{ state: 'noData', few: true, needed: null },
      why: 'no request of the candidate was counted',
    });
  });
});

describe('users and probes', () => {
  test('with the first percent of the traffic there are users to wait for', () => {
    const hear = hearing(BOTH, 1);
    for (let i = 0; i < 40; i += 1) hear.tick(of(1), of(1), PROBE);
    expect(hear.said()).toMatchObject({ state: 'noData', counted: 'users' });
  });

  test('a probe that never could be read is a doubt beside users who fare well', () => {
    const hear = hearing(BOTH);
    hear.tick(of(100), of(900), USERS);
    expect(hear.said().state).toBe('healthy');
    expect(hear.blind(PROBE)).toMatchObject({
      ...{ state: 'undecided', few: false },
      why: 'probe smoke could not be read yet: access denied',
    });
  });

  test('probes that heard of stable alone are named', () => {
    const hear = hearing({ sources: [PROBE, 'probe page'], users: [] });
    expect(hear.tick(null, of(9), PROBE).why).toBe('no request of the candidate was counted by probe smoke');
  });
});
