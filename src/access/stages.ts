/** Which of a rule's `stages:` are about a stage of a plan, whatever a spec calls it. Pure. */
import type { Approvals } from '../strategies/registry.js';
import type { ApproveStep, Plan, Stage, Step } from '../strategies/types.js';
import { ofStage } from './of-stage.js';
import type { Rule } from './policy.js';

/** An approval of a plan: the name of its stage, and what the step says of it. */
export interface Gate extends Pick<ApproveStep, 'weight' | 'opens'> {
  stage: string;
}

/** What a policy may call the approval's stage. A weight is a fact and comes first; a name is the spec's own choice. */
function namesOfGate({ stage, weight, opens }: Gate): string[] {
  return [...new Set([...(weight === 0 ? [] : [`${weight}%`]), ...opens, stage])];
}

/** The approvals of a plan, by their steps' ids. */
export function gatesOfPlan(plan: Plan): Record<string, Gate> {
  const steps = plan.stages.flatMap(({ name, steps }) => steps.map((step) => ({ name, step })));
  return Object.fromEntries(
    steps.flatMap(({ name, step }) =>
      step.kind === 'approve' ? [[step.id, { stage: name, weight: step.weight, opens: step.opens }]] : [],
    ),
  );
}

/** The rule as it is at an approval: what it says of that stage stands under the stage's own name, and of no other. */
export function ruleAt(rule: Rule, gate: Gate): Rule {
  const [first, ...more] = namesOfGate(gate).flatMap((name) => ofStage(rule, name) ?? []);
  if (first === undefined) return { ...rule, stages: {} };
  const asked = [first, ...more].map(({ people = 1 }) => people);
  return { ...rule, stages: { [gate.stage]: { ...first, people: Math.max(...asked) } } };
}

/** Where the plan lacks an approval of a stage that the rule names, one sentence each. */
export function stageFaults(plan: Plan, rule: Rule, { atStage }: Approvals): string[] {
  const gates = Object.values(gatesOfPlan(plan));
  const lacking = Object.keys(rule.stages).flatMap((name) => {
    const meant = plan.stages.filter((stage) => namesOfStage(stage).includes(name));
    if (meant.length === 0) {
      return [`stage ${name} must be approved here, and this plan does not have it; use canary with that stage`];
    }
    const open = meant.filter((stage) => {
      const before = isLast(stage) && gates.some(({ opens }) => opens.includes(name));
      return !before && !gates.some((gate) => gate.stage === stage.name);
    });
    return open.map((stage) => `stage ${stage.name} needs an approval here; ${atStage}`);
  });
  const unclear = gates.flatMap((gate) => {
    const names = namesOfGate(gate).filter((name) => ofStage(rule, name) !== undefined);
    return names.length < 2
      ? []
      : [
          `the approval in stage ${gate.stage} falls under several stages of the policy (${names.join(', ')}); rename the stage, or use canary`,
        ];
  });
  return [...new Set([...lacking, ...unclear])];
}

function isLast({ steps }: Stage): boolean {
  return steps.some(({ kind }) => kind === 'promote');
}

/** A stage's name, and the weight that it gives. */
function namesOfStage({ name, steps }: Stage): string[] {
  return [name, ...steps.flatMap(weightOf)];
}

function weightOf({ kind, weight }: Step): string[] {
  return kind === 'shift' || kind === 'promote' ? [`${weight}%`] : [];
}
