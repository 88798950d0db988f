/** The types of a plan: stages, steps and approvals. */
import type { ApprovalSpec, JudgeRules } from '../model/spec.js';
import type { RolloutType } from '../model/words.js';

/** Version of the plan's shape. A workflow refuses a plan it does not know. */
export const PLAN_SCHEMA = 1;

/** Most stages a plan may have. */
export const MAX_STAGES = 100;

/** Most that a spec may ask for: a plan also has its deploying stage, and one is kept free. */
export const MOST_STAGES = MAX_STAGES - 2;

/**
 * What a rollout will do, as a value: stages one after the other, each a list of steps.
 * Made once, recorded, then executed to the letter. All durations in milliseconds.
 */
export interface Plan {
  schema: typeof PLAN_SCHEMA;
  strategy: RolloutType;
  stages: Stage[];
}

export interface Stage {
  /** Unique in the plan; what `approve` names. */
  name: string;
  steps: Step[];
  /** The judge's settings at this stage, if they differ from the spec's `health.judge`. */
  health?: Partial<JudgeRules>;
}

interface StepBase {
  /** Unique in the plan; part of the mark a write leaves, and nothing is read out of it. Letters, digits, `-`, `.`. */
  id: string;
  strategy: RolloutType;
  /** Percent of traffic that the candidate has once the step is done; for a comparison, meanwhile. */
  weight: number;
}

/** Makes the release exist without traffic; `idle` also puts it into the idle environment (blue-green). */
interface DeployStep extends StepBase {
  kind: 'deploy';
  into?: 'idle';
  deadline: number;
}
/** Capacity first: the candidate is ready for its share before it gets it. */
interface WarmStep extends StepBase {
  kind: 'warm';
  deadline: number;
  /** An undo's: what is not ready by then gets the weight anyway. */
  orGoOn?: true;
}
/** Calls the candidate's own address; all named probes must pass `smoke` times in a row. */
interface ProbeStep extends StepBase {
  kind: 'probe';
  probes: string[];
  deadline: number;
}
interface ShiftStep extends StepBase {
  kind: 'shift';
  deadline: number;
}
/** Watched time. */
export interface BakeStep extends StepBase {
  kind: 'bake';
  duration: number;
  /** When it may pass early, counted from its beginning; absent: never. */
  earliest?: number;
  /** An undo's bake, which only warns: what it finds moves no traffic. */
  warns?: true;
}
/**
 * A part of the traffic goes back for a comparison, then forward again. Done once, and only if the bake before it is
 * unhealthy just because of a ceiling, with nothing left to compare with; otherwise the walk skips it.
 */
export interface CompareStep extends StepBase {
  kind: 'compare';
  duration: number;
  /** Of each of its two writes. */
  deadline: number;
}
export interface ApproveStep extends StepBase {
  kind: 'approve';
  approval: ApprovalSpec;
  /** Names of the later stage that it opens, where that stage has no place for an approval of its own. */
  opens: string[];
}
/** The candidate becomes the stable release, in one write; can still be rolled back. */
interface PromoteStep extends StepBase {
  kind: 'promote';
  deadline: number;
}
/** Ends the way back: from here on `undo` is a rollout of its own. */
interface FinishStep extends StepBase {
  kind: 'finish';
}

export type Step =
  | DeployStep
  | WarmStep
  | ProbeStep
  | ShiftStep
  | BakeStep
  | CompareStep
  | ApproveStep
  | PromoteStep
  | FinishStep;
export type StepKind = Step['kind'];

/** The steps of one kind. */
export type StepOf<K extends StepKind> = Extract<Step, { kind: K }>;
