/** Everything about a strategy in one record; the parser, the planner, the policy and the platforms use it. */
import type { z } from 'zod';
import type { ApprovalSpec, Bake, JudgeRules, Report, Spec } from '../model/spec.js';
import type { FieldsOf, RolloutType, Strategy as StrategyName, StrategyOf } from '../model/strategy.js';
import type { Stage } from './types.js';

/** A spec whose strategy is of the type that its planner is for. */
export type SpecOf<T extends RolloutType> = Spec & { strategy: StrategyOf<T> };

/**
 * How a release comes to its users. `atOnce`: all of them in one write, over the stable release. `idle`: in one write too, out of
 * an environment of its own. `split`: by a share of the traffic that rises. `back`: it served all of them before.
 */
export type Reach = 'atOnce' | 'idle' | 'split' | 'back';

/** What the members of rollout.yaml are made of; the parser hands it over. Durations are ms once parsed, weights percent. */
export interface Parts {
  strict<S extends z.core.$ZodLooseShape>(shape: S): z.ZodObject<S, z.core.$strict>;
  name(): z.ZodType<string, unknown>;
  duration(least?: number, most?: number): z.ZodType<number, unknown>;
  weight(): z.ZodType<number, unknown>;
  bake(): z.ZodType<Bake, unknown>;
  approval: z.ZodType<ApprovalSpec, unknown>;
  /** Members of `health.judge` that differ. */
  judge: z.ZodType<Partial<JudgeRules>, unknown>;
}

/** One schema for each member; the compiler finds the one that is missing. */
export type Members<T extends RolloutType> = {
  [K in keyof FieldsOf<T>]-?: z.ZodType<Required<FieldsOf<T>>[K], unknown>;
};

/** A watched time, where it is written, and what is judged in it. */
export interface Watched {
  path: (string | number)[];
  bake: Bake;
  /** Percent that the candidate has. */
  weight: number;
  judge: JudgeRules;
}

/** What every type of rollout has. */
export interface Rolling<T extends RolloutType> {
  /** In one sentence, for the schema and the editors that show it. */
  means: string;
  members(parts: Parts): Members<T>;
  reach: Reach;
  plan(spec: SpecOf<T>): Stage[];
  /** Every watched time of it. `judge` is that of the spec, which a stage may change for itself. */
  watched(strategy: StrategyOf<T>, judge: JudgeRules): Watched[];
  /** Rules between its members and the rest of the spec. */
  check?(spec: SpecOf<T>, fault: Report): void;
}

/** What a person can choose. */
export interface Strategy<T extends StrategyName> extends Rolling<T> {
  /** Its part of a first rollout.yaml, as `sluice init` writes it. */
  sample: string;
  first(strategy: StrategyOf<T>): First;
  approvals: Approvals;
}

/** What of a strategy is left on a first deployment, with nothing to compare with and nobody to split from. */
export interface First {
  bake: Bake;
  /** Asked before the target exists. */
  approval: ApprovalSpec | undefined;
  into?: 'idle';
  /** The stage that gives all users the release. */
  stage: string;
}

/** What a policy that wants an approval is to know, with the words that end its sentences. */
export interface Approvals {
  /** Whether one counts that is asked when all users have the release already, with the way back open. */
  late: boolean;
  /** After "an approval is needed". */
  needed: string;
  /** After "stage X needs an approval here;". */
  atStage: string;
}

/** Of strategies with one approval, which is no stage's own. */
export const ONE_APPROVAL: Approvals = {
  late: false,
  needed: 'before the release is live for good; add approval: {} to the strategy',
  atStage: 'add approval: {} to the strategy, or use canary with an approval in this stage',
};
