/** The vocabulary every part of Sluice shares. One word for one thing; see docs/concepts.md. */

export const STRATEGIES = ['direct', 'blueGreen', 'canary', 'linear'] as const;
/** How a release reaches its users. */
export type Strategy = (typeof STRATEGIES)[number];

/** A workflow type that rolls out: the strategies, and `undo`, the short rollout back to the release that was replaced. */
export type RolloutType = Strategy | 'undo';

/** Whether it is the type of a rollout. */
export function isRolloutType(value: unknown): value is RolloutType {
  return value === 'undo' || STRATEGIES.some((strategy) => strategy === value);
}

export const PHASES = [
  'pending',
  'preparing',
  'deploying',
  'shifting',
  'baking',
  'awaitingApproval',
  'paused',
  'held',
  'promoting',
  'restoring',
  'stuck',
] as const;
/** What an open rollout is doing. */
export type Phase = (typeof PHASES)[number];

export const OUTCOMES = [
  'succeeded',
  'rolledBack',
  'rejected',
  'superseded',
  'nothingToRelease',
  'abandoned',
  'failed',
] as const;
/** How a rollout ended. */
export type Outcome = (typeof OUTCOMES)[number];

export const VERBS = ['approve', 'reject', 'pause', 'resume', 'promote', 'skip', 'retry', 'abort', 'undo'] as const;
/** What a person can do. */
export type Verb = (typeof VERBS)[number];

/** The verbs that are messages to a running rollout. `undo` is a start of its own. */
export type MessageVerb = Exclude<Verb, 'undo'>;

/** What the judge says of a candidate. */
export type VerdictState = 'healthy' | 'unhealthy' | 'undecided' | 'noData' | 'blind';

/** What to do with a second release while a rollout of the same target is running. */
export type OnNewRelease = 'reject' | 'replace' | 'queue';

/** Which of the two releases a number or a request belongs to. */
export type Arm = 'stable' | 'candidate';
