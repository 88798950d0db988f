/** What the companion of a target keeps, and carries from run to run. */
import type { CompanionView } from '../../src/model/view.js';
import type { KeptEntry, UndoRecord } from '../messages.js';
import type { HoldState } from './hold.js';
import type { LateState } from './late.js';
import type { QueueState } from './queue.js';

export interface CompanionState extends QueueState, HoldState, LateState {
  releases: KeptEntry[];
  undo: (UndoRecord & { until: number }) | null;
  /** The record for deleting old releases, from the end of a window until that is done. */
  retire: UndoRecord | null;
  /** The last record once old releases are deleted: where the target is, for an undo to any release of the ledger. */
  base: UndoRecord | null;
  running: CompanionView['running'];
}
