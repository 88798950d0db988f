import { makePlan } from '../../src/strategies/registry.js';
import { openGate } from '../../workflows/rollout/gate.js';
import { newState } from '../../workflows/rollout/state.js';
import { UNGRANTED } from '../support/access.js';
import { ONE_PERSON, specFor } from '../support/specs.js';

test('a stage may be named like a built-in object property, and nobody is named as its approver', () => {
  const stage = 'constructor';
  const approval = { ...ONE_PERSON, within: 60_000, onTimeout: 'rollback' as const };
  const spec = specFor({ type: 'canary', stages: [{ weight: 100, name: stage, bake: 0, probes: [], approval }] });
  const plan = makePlan(spec, { stable: '1' });
  const state = newState({ app: 'checkout', environment: 'production', run: 'run-0', type: 'canary', now: 0 });
  const before = {
    split: { stable: '1', candidate: null, weight: 0 },
    ...{ release: null, revision: null, description: '', mark: null, environments: null, capacity: 0 },
  };
  const at = plan.stages[1]?.steps.findIndex(({ kind }) => kind === 'approve') ?? -1;
  const gate = openGate({
    ...state,
    prepared: { planSchema: 1, spec, before, plan, health: { baselines: {}, firing: [] }, warnings: [], ...UNGRANTED },
    cursor: { stage: 1, step: at },
    step: { gate: { id: 'canary-100.approve', stage, remind: 60_000, until: 60_000, approvals: [], decision: null } },
  });
  expect(gate).toMatchObject({ stage, people: 1, approvers: [] });
});
