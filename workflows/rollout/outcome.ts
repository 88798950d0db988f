/** How a part of the walk ends, and what the walk does next. The parts answer; the walk alone decides. */
import type { Cursor, Leave, StepState } from './state.js';

/**
 * `done`: the next step. `again`: the same step anew, since something has changed. `unhealthy`: the watcher has a verdict to deal with.
 * `grown`: the run has grown long and continues as new. `leaving`: the rollout ends, for the reason in its state.
 */
export type Outcome =
  | 'done'
  | 'again'
  | 'unhealthy'
  | 'grown'
  | 'leaving'
  /** End the rollout for this reason. */
  | { leave: Leave }
  /** Go on from another step of the plan, which begins with this state. */
  | { goTo: Cursor; step?: StepState };

/** How a wait ended: somebody asked, the time is over, or something that outranks both. */
export type Waited = 'asked' | 'elapsed' | 'unhealthy' | 'grown' | 'leaving';

/** Reminders come twice as late each time, at most a day apart, in ms. */
export const LONGEST_REMINDER = 86_400_000;
