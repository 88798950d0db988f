/** How a part of the walk ends, and what the walk does next. The parts answer; only the walk decides. */
import type { Cursor, Leave, StepState } from './state.js';

/**
 * `done`: the next step. `again`: the same step again, since something has changed. `unhealthy`: the watcher has a verdict to
 * handle. `grown`: the run has grown long and continues as new. `leaving`: the rollout ends, for the reason in its state.
 */
export type Outcome =
  | 'done'
  | 'again'
  | 'unhealthy'
  | 'grown'
  | 'leaving'
  /** End the rollout for this reason. */
  | { leave: Leave }
  /** Continue from another step of the plan, which starts with this state. */
  | { goTo: Cursor; step?: StepState };

/** How a wait ended: someone asked, the time is over, or something that outranks both. */
export type Waited = 'asked' | 'elapsed' | 'unhealthy' | 'grown' | 'leaving';

/** Each wait for a reminder is twice as long as the one before, a day at most, in ms. */
export const LONGEST_REMINDER = 86_400_000;
