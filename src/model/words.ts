/** The vocabulary every part of Sluice shares. One word for one thing; see docs/concepts.md. */

export { isRolloutType, type RolloutType, STRATEGIES, type Strategy } from './strategy.js';

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
