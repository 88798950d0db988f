/** Strategies: pure functions from a spec and the state of its target to a plan. */
import type { Spec } from '../model/spec.js';
import { planBlueGreen } from './blue-green.js';
import { planCanary } from './canary.js';
import { planDirect } from './direct.js';
import { planFirst } from './first.js';
import { planLinear } from './linear.js';
import type { SpecOf } from './steps.js';
import type { TargetState } from './target-state.js';
import type { Plan } from './types.js';
import { planUndo } from './undo.js';

export type { TargetState } from './target-state.js';

/** What the rollout of `spec` will do to a target in this state. Pure; `spec` must have been parsed (its limits are checked there). */
export function makePlan(spec: Spec, before: TargetState): Plan {
  if (before.stable === null && spec.strategy.type !== 'undo') return planFirst(spec);
  switch (spec.strategy.type) {
    case 'direct':
      return planDirect(spec as SpecOf<'direct'>);
    case 'blueGreen':
      return planBlueGreen(spec as SpecOf<'blueGreen'>);
    case 'canary':
      return planCanary(spec as SpecOf<'canary'>);
    case 'linear':
      return planLinear(spec as SpecOf<'linear'>);
    case 'undo':
      return planUndo(spec as SpecOf<'undo'>);
  }
}
