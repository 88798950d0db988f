/** What no spec can go under: approvals are raised to what the policy asks for, and what lacks a floor is refused. Pure. */
import { isJudged } from '../model/evidence.js';
import type { ApprovalSpec, Spec, Target } from '../model/spec.js';
import { duration } from '../model/text.js';
import { kitOf } from '../platforms/registry.js';
import { type Approvals, STRATEGY, type TargetState, watchedOf } from '../strategies/registry.js';
import type { Plan, Step } from '../strategies/types.js';
import { ofStage } from './of-stage.js';
import { mayAssume, mayTouch, placeOf, type Rule } from './policy.js';
import { ruleAt, stageFaults } from './stages.js';

/** The plan with every approval as strict as the rule asks for at its stage. */
export function raised(plan: Plan, rule: Rule): Plan {
  return {
    ...plan,
    stages: plan.stages.map((stage) => ({
      ...stage,
      steps: stage.steps.map((step) =>
        step.kind === 'approve'
          ? { ...step, approval: stricter(step.approval, ruleAt(rule, { ...step, stage: stage.name }), stage.name) }
          : step,
      ),
    })),
  };
}

function stricter(asked: ApprovalSpec, rule: Rule, stage: string): ApprovalSpec {
  const { approvals } = rule;
  return {
    ...asked,
    people: Math.max(asked.people, approvals.people, ofStage(rule, stage)?.people ?? 1),
    notStarter: asked.notStarter || approvals.notStarter,
    comment: asked.comment || approvals.comment,
    within: Math.min(asked.within, approvals.within ?? asked.within),
    onTimeout: approvals.onTimeout ?? asked.onTimeout,
  };
}

/** Where the target, or the role that is to be assumed for it, is not the rule's, one sentence each. */
export function placeFaults(target: Target, rule: Rule): string[] {
  const faults = mayTouch(rule, target) ? [] : [`target ${placeOf(target)} is not one of this rule's targets`];
  const role = kitOf(target.platform).awsIdentity(target)?.roleArn;
  if (role !== undefined && !mayAssume(rule, role)) {
    faults.push(`target.roleArn ${role} is not one of this rule's roles; remove it, or have it added to roles:`);
  }
  return faults;
}

/**
 * Where the spec's target, strategy or health breaks a floor, one sentence each. `undo` rolls back, so only the target
 * applies to it.
 */
export function specFaults({ strategy, health, allowUnjudged, allowBypass, target }: Spec, rule: Rule): string[] {
  const { floors } = rule;
  const faults = placeFaults(target, rule);
  if (strategy.type === 'undo') return faults;
  if (floors.strategies !== undefined && !floors.strategies.includes(strategy.type)) {
    faults.push(`strategy ${strategy.type} is not allowed here; use ${floors.strategies.join(' or ')}`);
  }
  if (floors.bypass === 'forbidden' && allowBypass.length > 0) {
    faults.push(
      `allowBypass is not allowed here; remove it, and move these callers to the alias: ${allowBypass.join(', ')}`,
    );
  }
  if (floors.health === 'required') {
    if (allowUnjudged || !isJudged(health)) {
      faults.push('health is required here: name a probe or a metric that decides, and remove allowUnjudged');
    }
    const lax = [health.judge, ...watchedOf({ strategy }, health.judge).map(({ judge }) => judge)].some(
      ({ onNoData, onUndecided }) => onNoData === 'promote' || onUndecided === 'promote',
    );
    if (lax) faults.push('health is required here: onNoData and onUndecided must not be promote');
  }
  return faults;
}

/**
 * Where the plan breaks a floor, one sentence each: its bakes, its approvals, and a release that reaches all users at once. A
 * first deployment (`before` has no stable release) has no users to protect: no stage needs an approval, and it may go to
 * everyone at once.
 */
export function planFaults(plan: Plan, rule: Rule, before: TargetState): string[] {
  if (plan.strategy === 'undo') return [];
  const { floors, approvals } = rule;
  const faults: string[] = [];
  for (const { name, steps } of plan.stages) {
    for (const step of steps) {
      if (step.kind !== 'bake' || step.weight === 0) continue;
      const least = step.earliest ?? step.duration;
      if (least < floors.bake) {
        faults.push(`stage ${name} bakes for ${duration(least)}; at least ${duration(floors.bake)} is required here`);
      }
    }
  }
  if (before.stable !== null) {
    if (floors.strategies?.includes('direct') === false && atOnce(plan)) {
      faults.push(
        'all users would get the release at once, as with strategy direct, which is not allowed here; begin with less than 100%, or probe it in the idle environment (blueGreen)',
      );
    }
    faults.push(...stageFaults(plan, rule, STRATEGY[plan.strategy].approvals));
  }
  if (approvals.required && !approvedInTime(plan, STRATEGY[plan.strategy].approvals)) {
    faults.push(`an approval is needed ${STRATEGY[plan.strategy].approvals.needed}`);
  }
  return faults;
}

/** Whether nobody and nothing tries the release before all users get it. */
function atOnce(plan: Plan): boolean {
  const before = beforePromote(plan);
  const idle = before.some((step) => step.kind === 'deploy' && step.into === 'idle');
  return !before.some(({ kind }) => kind === 'shift' || (idle && kind === 'probe'));
}

/** An approval counts before all users get the release, unless the strategy asks with the way back open. */
function approvedInTime(plan: Plan, { late }: Approvals): boolean {
  const steps = late ? plan.stages.flatMap((stage) => stage.steps) : beforePromote(plan);
  return steps.some(({ kind }) => kind === 'approve');
}

function beforePromote({ stages }: Plan): Step[] {
  const steps = stages.flatMap((stage) => stage.steps);
  return steps.slice(
    0,
    steps.findIndex(({ kind }) => kind === 'promote'),
  );
}
