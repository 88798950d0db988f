/** The judge's settings, as in a complete spec. */

/** The judge's limits (docs/judge.md has the formulas), and what to do when it cannot decide. */
export interface JudgeRules {
  /** Largest chance (0-1) of ever calling a candidate unhealthy that is no worse than stable and under its ceilings. */
  alpha: number;
  /** Share of errors (0-1) that the candidate may have whatever stable does: the SLO. Null: from stable's own past. */
  ceiling: number | null;
  /** Fewest candidate requests, at the present weight, before a bake can pass. */
  minRequests: number;
  /** Fewest candidate errors before it can be unhealthy. */
  minErrors: number;
  /** How many times an error tends to repeat (a client's retries): evidence counts by that much less. Null: measured. */
  dispersion: number | null;
  /** By how much (0-1) the candidate's error rate may exceed stable's in a bake that passes early. Null: 1 % or stable's own rate. */
  margin: number | null;
  /** Chance (0-1) that a candidate worse than stable by more than `margin` passes early. */
  beta: number;
  /** At 100 %, with nothing to compare with: send half the traffic back once before rolling back for good. */
  probeBack: boolean;
  onUnhealthy: 'rollback' | 'hold';
  onUndecided: 'rollback' | 'hold' | 'promote';
  onNoData: 'rollback' | 'hold' | 'promote';
  /** Longest hold, in milliseconds; then the rollout is rolled back. */
  maxHold: number;
  /** Milliseconds between reminders while held. */
  remindEvery: number;
}
