/** The parts of a rollout that its steps use. The rollout creates them once. */
import type { Announcements } from './announce.js';
import type { Flow } from './flow.js';
import type { Keep } from './keep.js';
import type { Run } from './run.js';
import type { Undo } from './undo.js';
import type { Watching } from './watching.js';

export interface Parts {
  run: Run;
  flow: Flow;
  watching: Watching;
  announcements: Announcements;
  undo: Undo;
  keep: Keep;
}
