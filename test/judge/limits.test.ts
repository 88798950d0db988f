/** The limits that a rollout's judge keeps to, each at its edge. */
import { judgeOf } from '../../src/judge/sources.js';
import type { Counts, JudgeSetup, Tick } from '../../src/judge/types.js';
import { specFor } from '../support/specs.js';

const { judge: rules } = specFor({ type: 'direct', bake: 1 }).health;

function of(requests: number, errors = 0): Counts {
  return { requests, errors };
}

function hearing(more: Partial<JudgeSetup> = {}, weight = 10) {
  const sources = more.sources ?? ['users'];
  const judge = judgeOf({ rules, baselines: {}, sources, users: sources, firing: [], ...more });
  let state = judge.start(weight);
  let id = 0;
  const said = () => judge.verdict(state);
  return {
    said,
    tick(candidate: Counts | null, stable: Counts | null, and: Partial<Tick> = {}) {
      id += 1;
      state = judge.tick(state, { source: sources[0] ?? '', id, stable, candidate, ...and });
      return said();
    },
    enter(to: number) {
      state = judge.enter(state, to);
      return said();
    },
    alarms(heard: Record<string, boolean> | { blind: string }) {
      state = judge.alarms(state, heard);
      return said();
    },
  };
}

test('over the ceiling means more than its share and at least the minimum of errors', () => {
  const says = (candidate: Counts, stable: Counts) =>
    hearing({ rules: { ...rules, minRequests: 5 } }).tick(candidate, stable).state;
  expect(says(of(40, 2), of(360, 18))).toBe('healthy');
  expect(says(of(39, 2), of(351, 18))).toBe('undecided');
  expect(says(of(10, 1), of(90, 9))).toBe('healthy');
  expect(says(of(10, 2), of(90, 18))).toBe('undecided');
});

test('a bake passes early only once each source has counted, probes too', () => {
  const hear = hearing({ sources: ['probe smoke', 'probe page'], users: [] });
  for (let i = 0; i < 60; i += 1) hear.tick(of(20), of(180));
  expect(hear.said()).toMatchObject({ state: 'healthy', needed: 0, passes: false });
  for (let i = 0; i < 60; i += 1) hear.tick(of(20), of(180), { source: 'probe page' });
  expect(hear.said()).toMatchObject({ state: 'healthy', needed: 0, passes: true });
});

test('a stricter limit needs more chance, more proof or more requests', () => {
  const after = (change: Partial<typeof rules>) => {
    const hear = hearing({ rules: { ...rules, ...change } });
    return hear.tick(of(100), of(900));
  };
  expect(after({ alpha: 0.01 }).limit).toBeCloseTo(Math.log(100), 12);
  expect(after({ alpha: 0.001 }).limit).toBeCloseTo(Math.log(1000), 12);
  const needed = [0.2, 0.05, 0.001].map((beta) => after({ beta }).needed ?? 0);
  expect(needed[0]).toBeLessThan(needed[1] ?? 0);
  expect(needed[1]).toBeLessThan(needed[2] ?? 0);
  const hear = hearing({ rules: { ...rules, minRequests: 1_300 } });
  for (let i = 0; i < 60; i += 1) hear.tick(of(20), of(180));
  expect(hear.said()).toMatchObject({ state: 'undecided', needed: 100 });
});

test('half the evidence is a doubt, and less is not', () => {
  const hear = hearing();
  let before = hear.said();
  for (let failed = 0; before.logE < before.limit / 2; failed += 1) {
    expect(before.state).not.toBe('unhealthy');
    if (failed > 0) expect(before.why).not.toContain('too much to continue');
    before = hear.tick(of(200, 1), of(1_800, 1));
    expect(failed).toBeLessThan(100);
  }
  expect(before).toMatchObject({ state: 'undecided', few: false });
  expect(before.why).toContain('too much to continue');
});

test('the reason for unhealthy stays for good at greater weights, and is tested again at a smaller one', () => {
  const hear = hearing();
  for (let i = 0; i < 5; i += 1) hear.tick(of(2, 2), of(18));
  const { state, why } = hear.said();
  expect(state).toBe('unhealthy');
  expect(hear.tick(of(9, 9), of(81))).toMatchObject({ state, why, passes: false, few: false });
  expect(hear.enter(50)).toMatchObject({ state, why });
  expect(hear.enter(10).state).not.toBe('unhealthy');
});

test('a read without requests still counts as a read', () => {
  const hear = hearing();
  const blind = () => hear.tick(null, null, { blind: 'timed out' });
  hear.tick(of(100), of(900));
  for (let i = 0; i < 2; i += 1) blind();
  hear.tick(null, null, { seen: true });
  for (let i = 0; i < 2; i += 1) expect(blind().state).toBe('healthy');
  expect(blind()).toMatchObject({ state: 'blind', few: false });
  expect(hear.tick(null, null, { seen: true }).state).toBe('healthy');
});

test('alarms are blind after three failures in a row, and not if they were read in between', () => {
  const hear = hearing();
  hear.tick(of(100), of(900));
  const blind = () => hear.alarms({ blind: 'access denied' }).state;
  expect([blind(), blind()]).toEqual(['healthy', 'healthy']);
  hear.alarms({ errors: false });
  expect([blind(), blind(), blind()]).toEqual(['healthy', 'healthy', 'blind']);
});

test('an alarm or a source may be named like a built-in object property', () => {
  const hear = hearing({ sources: ['constructor'] });
  expect(hear.tick(of(100), of(900)).state).toBe('healthy');
  expect(hear.alarms({ constructor: true })).toMatchObject({
    state: 'unhealthy',
    why: 'alarm constructor went off during the rollout',
    probeBack: false,
  });
});
