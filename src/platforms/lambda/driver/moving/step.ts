/** A step of moving callers to the alias, with what does it. */
import type { MoveStep } from '../../../../model/moving.js';

/** A step that may be run any number of times; null: Sluice does nothing for it. */
export interface Planned extends MoveStep {
  run: (() => Promise<unknown>) | null;
}
