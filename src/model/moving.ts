/** Moving the callers of a function's bare name to an alias, and back. */

/** Which way, and what may be done for it. */
export interface Moving {
  /** Back to the bare name. */
  undo: boolean;
  /** Publish `$LATEST` and point the alias at it, where the two differ. */
  publish: boolean;
}

/** One step, in words. */
export interface MoveStep {
  /** The same for the same step in every look, and another one where it would do something else: `move/UUID`, `allow/NAME/DIGEST`. */
  id: string;
  /** `do`: Sluice does it. `later`: a later run does it. `hand`: a person does it. */
  kind: 'do' | 'later' | 'hand';
  /** What is done, to what, and for `hand` the exact command. */
  text: string;
}

/** What a run would do. */
export interface MovePlan {
  steps: MoveStep[];
  /** Of the steps and the way: a run does what was shown, or nothing. */
  digest: string;
}

/** What a run has done, and what is left. */
export interface Moved {
  done: MoveStep[];
  left: MoveStep[];
}
