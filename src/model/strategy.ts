/** The strategies by name, and what a complete spec says of each. A new one is named here first. */
import type { JudgeRules } from './judge-rules.js';

/** What a spec says of a strategy, by the strategy's name. */
export interface StrategyFields {
  direct: { bake: Bake; approval?: ApprovalSpec };
  blueGreen: { bake: Bake; testBake: number; approval?: ApprovalSpec };
  canary: { stages: StageSpec[] };
  linear: { step: number; interval: Bake; bake: Bake; approval?: ApprovalSpec };
}

/** How a release reaches its users. */
export type Strategy = keyof StrategyFields;

/** In the order in which people see them. */
const NAMES: Record<Strategy, true> = { direct: true, blueGreen: true, canary: true, linear: true };

export const STRATEGIES = Object.keys(NAMES) as Strategy[];

/** A workflow type that rolls out: the strategies, and `undo`, the short rollout back to the release that was replaced. */
export type RolloutType = Strategy | 'undo';

/** Whether it is the type of a rollout. */
export function isRolloutType(value: unknown): value is RolloutType {
  return value === 'undo' || STRATEGIES.some((strategy) => strategy === value);
}

/** What a spec says of the type of a rollout. */
export type FieldsOf<T extends RolloutType> = (StrategyFields & { undo: { bake: number } })[T];

/** The strategy of a spec: its name, and its fields. */
export type StrategyOf<T extends RolloutType> = { [N in T]: { type: N } & FieldsOf<N> }[T];

export type StrategySpec = StrategyOf<RolloutType>;

export interface StageSpec {
  name: string;
  /** Percent, 0 < weight <= 100. */
  weight: number;
  bake: Bake;
  /** Names of probes that must pass at this stage before its bake, on the candidate. */
  probes: string[];
  approval?: ApprovalSpec;
  /** The judge's settings at this stage, if they differ from `health.judge`. */
  health?: Partial<JudgeRules>;
}

/** Watched time in milliseconds. With `min` and `max` it passes as soon after `min` as the candidate is shown to be no worse. */
export type Bake = number | { min: number; max: number };

export interface ApprovalSpec {
  /** Milliseconds the decision may take. */
  within: number;
  onTimeout: 'rollback' | 'hold';
  /** How many different people must approve. */
  people: number;
  /** Not the one who started the rollout. */
  notStarter: boolean;
  /** A comment is needed. */
  comment: boolean;
  /** Milliseconds until the first reminder; each further one comes twice as late. */
  remindEvery: number;
}
