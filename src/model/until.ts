/** When a wait for a rollout is over. */
import type { RolloutView } from './view.js';

/** What can be waited for. */
export type Until = 'done' | 'approval' | 'paused';

/** Whether the rollout is where `until` says. Done is what has closed: only then may the next one start. */
export function isReached({ view, ended }: { view: RolloutView | null; ended: boolean }, until: Until): boolean {
  switch (until) {
    case 'done':
      return ended;
    case 'approval':
      return view?.phase === 'awaitingApproval';
    case 'paused':
      return view?.phase === 'paused';
  }
}
