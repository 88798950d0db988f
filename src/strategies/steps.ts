/**
 * The steps that strategies are made of. A step's id is `<strategy>-<weight>.<kind>`: weights only rise within a plan
 * and no weight has two steps of a kind, so it is unique, and the mark it becomes tells a person where the rollout was.
 */
import type { ApprovalSpec, Bake, JudgeRules, Spec } from '../model/spec.js';
import { kitOf } from '../platforms/registry.js';
import type { Step, StepKind } from './types.js';

/** The first stage of every plan: the release exists, is warm and answers, and has no traffic. */
export const DEPLOY_STAGE = 'deploy';

/** The stage in which all users get the release, unless a strategy calls it otherwise; a policy may always call it so. */
export const ALL = '100%';

/** Percent of traffic that the candidate keeps while it is compared once more: with as many requests on each side, they differ soonest. */
const COMPARE_WEIGHT = 50;

/** The steps of one weight of a spec's plan; those that the spec does not ask for are empty lists. */
export interface Steps {
  /** Deploy, capacity where asked for, and every probe: nothing gets weight before. */
  deploy(into?: 'idle'): Step[];
  probe(names: string[]): Step[];
  shift(): Step[];
  promote(): Step[];
  bake(time: Bake): Step[];
  /** After a bake with nothing left to compare with: once more beside the stable release, for as long as that bake. */
  compare(time: Bake, health?: Partial<JudgeRules>): Step[];
  /** Capacity, waited for within `deadlines.warm` and no longer; the release exists already. */
  ready(): Step[];
  /** A bake that only warns. */
  observe(duration: number): Step[];
  /** `opens`: names of the later stage that it represents, if that has no place for an approval of its own. */
  approve(approval: ApprovalSpec | undefined, opens: string[]): Step[];
  finish(): Step[];
}

/** Steps at `weight` percent. */
export function stepsAt(spec: Spec, weight: number): Steps {
  const { deadlines, strategy } = spec;
  const step = <K extends StepKind>(kind: K) => ({
    kind,
    id: `${strategy.type}-${weight}.${kind}`,
    strategy: strategy.type,
    weight,
  });
  const probe = (probes: string[]): Step[] =>
    probes.length === 0 ? [] : [{ ...step('probe'), probes, deadline: deadlines.probe }];
  const deploy = (into?: 'idle'): Step => ({
    ...step('deploy'),
    deadline: deadlines.deploy,
    ...(into ? { into } : {}),
  });
  const warm = (more: { orGoOn?: true } = {}): Step[] =>
    kitOf(spec.target.platform).needsCapacity(spec) ? [{ ...step('warm'), deadline: deadlines.warm, ...more }] : [];
  return {
    deploy: (into) => [deploy(into), ...warm(), ...probe(spec.health.probes.map(({ name }) => name))],
    probe,
    shift: () => [{ ...step('shift'), deadline: deadlines.shift }],
    promote: () => [{ ...step('promote'), deadline: deadlines.shift }],
    bake: (time) => [
      typeof time === 'number'
        ? { ...step('bake'), duration: time }
        : { ...step('bake'), duration: time.max, earliest: time.min },
    ],
    compare: (time, health) =>
      (health?.probeBack ?? spec.health.judge.probeBack)
        ? [
            {
              ...step('compare'),
              weight: COMPARE_WEIGHT,
              duration: typeof time === 'number' ? time : time.max,
              deadline: deadlines.shift,
            },
          ]
        : [],
    ready: () => [deploy(), ...warm({ orGoOn: true })],
    observe: (duration) => [{ ...step('bake'), duration, warns: true }],
    approve: (approval, opens) => (approval ? [{ ...step('approve'), approval, opens }] : []),
    finish: () => [step('finish')],
  };
}
