/** Which of a rule's `stages:` are about a stage of a plan, whatever a spec calls it. Pure. */
import type { Plan, Stage, Step } from '../strategies/types.js';
import type { Rule } from './policy.js';

/** An approval of a plan: the name of its stage, and the step's id, which says the strategy and the weight. */
export interface Gate {
  stage: string;
  id: string;
}

/** As `stepsAt` writes it. */
const ID = /^(?<strategy>[A-Za-z]+)-(?<weight>\d+(?:\.\d+)?)\.approve$/;
const ALL = '100%';

/**
 * The names of the stage that the approval opens and that has no place for one of its own: linear and blue-green ask before it,
 * and so does every first deployment.
 */
function opens(id: string): string[] {
  const { strategy, weight } = ID.exec(id)?.groups ?? {};
  if (strategy === 'blueGreen') return [ALL, 'switch'];
  return strategy === 'linear' || weight === '0' ? [ALL] : [];
}

/** What a policy may call the approval's stage. A weight is a fact and comes first; a name is the spec's own choice. */
function namesOfGate({ stage, id }: Gate): string[] {
  const { weight = '0' } = ID.exec(id)?.groups ?? {};
  return [...new Set([...(weight === '0' ? [] : [`${weight}%`]), ...opens(id), stage])];
}

/** The rule as it is at an approval: what it says of that stage stands under the stage's own name, and of no other. */
export function ruleAt(rule: Rule, gate: Gate): Rule {
  const [first, ...more] = namesOfGate(gate).flatMap((name) => ofStage(rule, name) ?? []);
  if (first === undefined) return { ...rule, stages: {} };
  const asked = [first, ...more].map(({ people = 1 }) => people);
  return { ...rule, stages: { [gate.stage]: { ...first, people: Math.max(...asked) } } };
}

/** What the rule says of a stage under this very name. */
export function ofStage({ stages }: Rule, name: string): Rule['stages'][string] | undefined {
  return Object.hasOwn(stages, name) ? stages[name] : undefined;
}

/** Where the plan lacks an approval of a stage that the rule names, one sentence each. */
export function stageFaults(plan: Plan, rule: Rule): string[] {
  const gates = plan.stages.flatMap(gatesOf);
  const lacking = Object.keys(rule.stages).flatMap((name) => {
    const meant = plan.stages.filter((stage) => namesOfStage(stage).includes(name));
    if (meant.length === 0) {
      return [`stage ${name} must be approved here, and this plan has none; take canary with such a stage`];
    }
    const open = meant.filter((stage) => {
      const before = isLast(stage) && gates.some(({ id }) => opens(id).includes(name));
      return !before && gatesOf(stage).length === 0;
    });
    return open.map((stage) => `stage ${stage.name} needs an approval here; ${howTo(plan)}`);
  });
  const unclear = gates.flatMap((gate) => {
    const names = namesOfGate(gate).filter((name) => ofStage(rule, name) !== undefined);
    return names.length < 2
      ? []
      : [
          `the approval in stage ${gate.stage} is that of ${names.join(' and of ')} in the policy; name the stage otherwise, or take canary`,
        ];
  });
  return [...new Set([...lacking, ...unclear])];
}

function howTo({ strategy }: Plan): string {
  return strategy === 'canary'
    ? 'add approval: {} to it'
    : 'add approval: {} to the strategy, or take canary with an approval in this stage';
}

function gatesOf({ name, steps }: Stage): Gate[] {
  return steps.flatMap(({ kind, id }) => (kind === 'approve' ? [{ stage: name, id }] : []));
}

function isLast({ steps }: Stage): boolean {
  return steps.some(({ kind }) => kind === 'promote');
}

/** A stage's name, and the weight that it gives. */
function namesOfStage({ name, steps }: Stage): string[] {
  return [name, ...steps.flatMap(weightOf)];
}

function weightOf(step: Step): string[] {
  if (step.kind === 'promote') return [ALL];
  return step.kind === 'shift' ? [`${step.weight}%`] : [];
}
