/** What a planner must know of the target. */
export interface TargetState {
  /** The release that serves production; null on a first deployment. */
  stable: string | null;
}
