/** When a wait is over. Loads nothing: the command line asks too, without a client. */
import type { Snapshot, Until } from './types.js';

/** Whether the rollout is where `until` says. Done is what has closed: only then may the next one start. */
export function isReached({ view, ended }: Snapshot, until: Until): boolean {
  switch (until) {
    case 'done':
      return ended;
    case 'approval':
      return view?.phase === 'awaitingApproval';
    case 'paused':
      return view?.phase === 'paused';
  }
}
