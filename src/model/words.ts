/** The vocabulary every part of Sluice shares. One word for one thing; see docs/concepts.md. */

export { PHASES, type Phase } from './phases.js';
export { isRolloutType, type RolloutType, STRATEGIES, type Strategy } from './strategy.js';

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

export { type MessageVerb, VERBS, type Verb } from './verbs.js';

/** What the judge says of a candidate. */
export type VerdictState = 'healthy' | 'unhealthy' | 'undecided' | 'noData' | 'blind';

/** What to do with a second release while a rollout of the same target is running. */
export type OnNewRelease = 'reject' | 'replace' | 'queue';

/** Which of the two releases a number or a request belongs to. */
export type Arm = 'stable' | 'candidate';
