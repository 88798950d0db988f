/** What a rollout publishes of its approval, and what of its state decides which messages it takes. */
import type { ApprovalSpec } from '../../src/model/spec.js';
import { makePlan } from '../../src/strategies/registry.js';
import { factsOf, openGate, together } from '../../workflows/rollout/gate.js';
import { newState, type RolloutState } from '../../workflows/rollout/state.js';
import { UNGRANTED } from '../support/access.js';
import { ONE_PERSON, specFor } from '../support/specs.js';

const BEFORE = { stable: '1', candidate: null, weight: 0 };

/** A rollout that waits at the approval of its only stage. */
function waiting(stage: string, of: Partial<ApprovalSpec> = {}): RolloutState {
  const approval = { ...ONE_PERSON, within: 60_000, onTimeout: 'rollback' as const, ...of };
  const spec = specFor({ type: 'canary', stages: [{ weight: 100, name: stage, bake: 60_000, probes: [], approval }] });
  const plan = makePlan(spec, { stable: '1' });
  const state = newState({ app: 'checkout', environment: 'production', run: 'run-0', type: 'canary', now: 0 });
  const before = {
    split: BEFORE,
    ...{ release: null, revision: null, description: '', mark: null, environments: null, capacity: 0 },
  };
  const at = plan.stages[1]?.steps.findIndex(({ kind }) => kind === 'approve') ?? -1;
  return {
    ...state,
    prepared: { planSchema: 1, spec, before, plan, health: { baselines: {}, firing: [] }, warnings: [], ...UNGRANTED },
    cursor: { stage: 1, step: at },
    step: { gate: { id: 'canary-100.approve', stage, remind: 60_000, until: 60_000, approvals: [], decision: null } },
  };
}

/** The same with the gate as it is then. */
function withGate(state: RolloutState, more: object): RolloutState {
  const { gate } = state.step;
  return gate === undefined ? state : { ...state, step: { gate: { ...gate, ...more } } };
}

test('a stage may be named like a built-in object property, and nobody is named as its approver', () => {
  expect(openGate(waiting('constructor'))).toMatchObject({ stage: 'constructor', people: 1, approvers: [] });
});

test('an open gate says what is asked for, by whom, and who has approved', () => {
  const asked = waiting('all', { people: 2, notStarter: true, comment: true });
  const prepared = asked.prepared === null ? null : { ...asked.prepared, approvers: { all: ['ann', 'ben'] } };
  const approvals = [{ by: 'ann', comment: 'fine' }];
  expect(openGate(withGate({ ...asked, prepared }, { approvals }))).toEqual({
    ...{ id: 'canary-100.approve', stage: 'all', plan: UNGRANTED.digest, expires: 60_000 },
    ...{ people: 2, approved: ['ann'], approvers: ['ann', 'ben'], notStarter: true, comment: true },
  });
});

test('no gate is open before the plan is made, at another step, without an approval under way, or after the decision', () => {
  const state = waiting('all');
  expect(openGate(state)).not.toBeNull();
  expect(openGate({ ...state, prepared: null })).toBeNull();
  const { stage, step } = state.cursor;
  expect(openGate({ ...state, cursor: { stage, step: step - 1 } })).toBeNull();
  expect(openGate({ ...state, cursor: { stage: stage + 1, step } })).toBeNull();
  expect(openGate({ ...state, step: {} })).toBeNull();
  const decision = { approved: false, by: 'ann', comment: null };
  expect(openGate(withGate(state, { decision }))).toBeNull();
  expect(factsOf(withGate(state, { decision })).gate).toEqual({ stage: 'all', decidedBy: 'ann', open: null });
});

test('the facts of a rollout that has just begun: nothing is asked, left, kept, paused, held or shared', () => {
  const state = newState({ app: 'checkout', environment: 'production', run: 'run-0', type: 'canary', now: 0 });
  expect(factsOf(state)).toEqual({
    ...{ phase: 'pending', outcome: null, code: null, startedBy: null, leaving: null },
    ...{ kept: false, paused: false, skippable: false, undecided: false, gate: null, part: false },
  });
});

test('the facts of a rollout each come from what they are about', () => {
  const state = waiting('all');
  const leave = { outcome: 'rolledBack', reason: 'aborted by ann', code: null } as const;
  expect(factsOf({ ...state, leave }).leaving).toBe('aborted by ann');
  expect(factsOf({ ...state, kept: { split: BEFORE, by: 'ann', unwatched: false } }).kept).toBe(true);
  expect(factsOf({ ...state, pause: { by: 'ann', since: 0, until: 1 } }).paused).toBe(true);
  const about = (about: 'undecided' | 'unhealthy' | 'approval') =>
    factsOf({ ...state, step: { hold: { why: 'why', until: 1, about } } }).undecided;
  expect([about('undecided'), about('unhealthy'), about('approval')]).toEqual([true, false, false]);
  const { gate } = factsOf(state);
  expect(gate).toEqual({ stage: 'all', decidedBy: null, open: openGate(state) });
});

test('the candidate has a part of the traffic once it has some beside stable, and a bake that runs may be skipped', () => {
  const state = { ...waiting('all'), release: { version: '2', digest: 'd' } };
  const part = (split: RolloutState['split']) => factsOf({ ...state, split }).part;
  expect(part(null)).toBe(false);
  expect(part(BEFORE)).toBe(false);
  expect(part({ stable: '1', candidate: '2', weight: 10 })).toBe(true);
  expect(part({ stable: '2', candidate: null, weight: 0 })).toBe(false);
  const steps = state.prepared?.plan.stages[1]?.steps ?? [];
  expect(steps.map(({ kind }) => kind)).toContain('bake');
  expect(steps.map((_, step) => factsOf({ ...state, cursor: { stage: 1, step } }).skippable)).toEqual(
    steps.map(({ kind }) => kind === 'bake'),
  );
});

test('names are listed as in a sentence', () => {
  expect([[], ['ann'], ['ann', 'ben'], ['ann', 'ben', 'cem']].map(together)).toEqual([
    'nobody',
    'ann',
    'ann and ben',
    'ann, ben and cem',
  ]);
});
