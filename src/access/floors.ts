/** What no spec can go under: approvals are raised to what the policy asks for, and what lacks a floor is refused. Pure. */
import type { ApprovalSpec, Spec, StrategySpec } from '../model/spec.js';
import { targetName } from '../model/target.js';
import { duration } from '../model/text.js';
import type { Plan, Step } from '../plan/types.js';
import { mayTouch, type Rule } from './policy.js';

/** The plan with every approval as strict as the rule asks for at its stage. */
export function raised(plan: Plan, rule: Rule): Plan {
  return {
    ...plan,
    stages: plan.stages.map((stage) => ({
      ...stage,
      steps: stage.steps.map((step) =>
        step.kind === 'approve' ? { ...step, approval: stricter(step.approval, rule, stage.name) } : step,
      ),
    })),
  };
}

function stricter(asked: ApprovalSpec, { approvals, stages }: Rule, stage: string): ApprovalSpec {
  return {
    ...asked,
    people: Math.max(asked.people, approvals.people, stages[stage]?.people ?? 1),
    notStarter: asked.notStarter || approvals.notStarter,
    comment: asked.comment || approvals.comment,
    within: Math.min(asked.within, approvals.within ?? asked.within),
    onTimeout: approvals.onTimeout ?? asked.onTimeout,
  };
}

/** Where the spec's strategy or its health is under a floor, one sentence each. `undo` goes back, and has no floor. */
export function specFaults({ strategy, health, allowUngated, target }: Spec, rule: Rule): string[] {
  const { floors } = rule;
  const place = `${target.account}/${targetName(target)}`;
  const faults = mayTouch(rule, place) ? [] : [`target ${place} is not one of this rule's targets`];
  if (strategy.type === 'undo') return faults;
  if (floors.strategies !== undefined && !floors.strategies.includes(strategy.type)) {
    faults.push(`strategy ${strategy.type} is not allowed here; take ${floors.strategies.join(' or ')}`);
  }
  if (floors.health === 'required') {
    if (allowUngated || health.probes.length + health.metrics.filter(({ dryRun }) => !dryRun).length === 0) {
      faults.push('health is required here: name a probe or a metric that decides, and take allowUngated out');
    }
    const lax = [health.policy, ...stagePolicies(strategy)].some(
      ({ onNoData, onUndecided }) => onNoData === 'promote' || onUndecided === 'promote',
    );
    if (lax) faults.push('health is required here: onNoData and onUndecided must not say promote');
  }
  return faults;
}

function stagePolicies(strategy: StrategySpec) {
  return strategy.type === 'canary' ? strategy.stages.map(({ health }) => health ?? {}) : [];
}

/** Where the plan is under a floor: each bake of a weight, and an approval before all users get the release. */
export function planFaults(plan: Plan, { floors, approvals, stages }: Rule): string[] {
  if (plan.strategy === 'undo') return [];
  const faults: string[] = [];
  for (const { name, steps } of plan.stages) {
    for (const step of steps) {
      if (step.kind !== 'bake' || step.weight === 0) continue;
      const least = step.earliest ?? step.duration;
      if (least < floors.bake) {
        faults.push(`stage ${name} bakes for ${duration(least)}; ${duration(floors.bake)} is the least here`);
      }
    }
    if (stages[name] !== undefined && !steps.some(({ kind }) => kind === 'approve')) {
      faults.push(`stage ${name} needs an approval here; add approval: {} to it`);
    }
  }
  if (approvals.required && !approvedBeforeAll(plan)) {
    faults.push(
      'an approval is needed before the release is live for good; add approval: {} to the strategy or to a stage',
    );
  }
  return faults;
}

/** `direct` asks after its bake, with the way back open; what counts is that a person must act before the end. */
function approvedBeforeAll(plan: Plan): boolean {
  const steps: Step[] = plan.stages.flatMap((stage) => stage.steps);
  return steps.some(({ kind }) => kind === 'approve');
}
