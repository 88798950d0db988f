/**
 * Strategies: one record each, and what everyone else asks of them. A name of the model without a record here does not
 * compile.
 */
import type { JudgeRules, Report, Spec } from '../model/spec.js';
import type { RolloutType, Strategy as StrategyName } from '../model/strategy.js';
import { blueGreen } from './blue-green.js';
import { canary } from './canary.js';
import { direct } from './direct.js';
import { firstStages } from './first.js';
import { linear } from './linear.js';
import type { Reach, Rolling, Strategy, Watched } from './strategy.js';
import type { TargetState } from './target-state.js';
import { PLAN_SCHEMA, type Plan } from './types.js';
import { undo } from './undo.js';

export type { Approvals, Parts, Watched } from './strategy.js';
export type { TargetState } from './target-state.js';

/** What a person can choose. */
export const STRATEGY: { readonly [T in StrategyName]: Strategy<T> } = { direct, blueGreen, canary, linear };

/** Every type of rollout. */
export const ROLLING: { readonly [T in RolloutType]: Rolling<T> } = { ...STRATEGY, undo };

/** What the rollout of `spec` will do to a target in this state. Pure; `spec` must have been parsed (its limits are checked there). */
export function makePlan(spec: Spec, before: TargetState): Plan {
  const { strategy } = spec;
  const stages =
    before.stable !== null || strategy.type === 'undo'
      ? rollingOf(spec).plan(spec)
      : firstStages(spec, (STRATEGY[strategy.type] as Strategy<StrategyName>).first(strategy));
  return { schema: PLAN_SCHEMA, strategy: strategy.type, stages };
}

export function reachOf({ strategy }: Pick<Spec, 'strategy'>): Reach {
  return ROLLING[strategy.type].reach;
}

/** Whether the stable release has to run beside the candidate. */
export function needsBoth(spec: Pick<Spec, 'strategy'>): boolean {
  const reach = reachOf(spec);
  return reach === 'idle' || reach === 'split';
}

/** Every watched time of a spec's strategy. */
export function watchedOf(spec: Pick<Spec, 'strategy'>, judge: JudgeRules): Watched[] {
  return rollingOf(spec).watched(spec.strategy, judge);
}

/** Reports what a strategy finds wrong with its spec. */
export function checkStrategy(spec: Spec, fault: Report): void {
  rollingOf(spec).check?.(spec, fault);
}

/** The record of a spec's own strategy takes that strategy, which the compiler cannot see of a union. */
function rollingOf({ strategy }: Pick<Spec, 'strategy'>): Rolling<RolloutType> {
  return ROLLING[strategy.type] as Rolling<RolloutType>;
}
