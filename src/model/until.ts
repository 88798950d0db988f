/** When a wait for a rollout is over. */
import type { RolloutView } from './view.js';

/** What can be waited for. `person`: whatever needs one, an approval, a hold, or a rollout that is stuck. */
export const UNTIL = ['done', 'approval', 'held', 'person', 'paused'] as const;
export type Until = (typeof UNTIL)[number];

const NEEDS_PERSON: readonly RolloutView['phase'][] = ['awaitingApproval', 'held', 'stuck'];

/** Whether it goes no further, or not yet, without a person. */
export function needsPerson({ phase }: Pick<RolloutView, 'phase'>): boolean {
  return NEEDS_PERSON.includes(phase);
}

/** Whether the rollout is where `until` says. Done is what has closed: only then may the next one start. */
export function isReached({ view, ended }: { view: RolloutView | null; ended: boolean }, until: Until): boolean {
  switch (until) {
    case 'done':
      return ended;
    case 'approval':
      return view?.phase === 'awaitingApproval';
    case 'held':
      return view?.phase === 'held';
    case 'person':
      return view !== null && needsPerson(view);
    case 'paused':
      return view?.phase === 'paused';
  }
}
