/** Words for the traffic of a rollout that has no plan yet. */
import type { RolloutView } from './view.js';

/**
 * What views say about the traffic if there is no plan, so that nobody takes an unread target for an empty one. Null: there
 * is a plan.
 */
export function unreadTraffic({ stages, stable, outcome, code }: RolloutView): string | null {
  if (stages.length > 0 || stable !== null) return null;
  if (outcome === null) return 'the target has not been read yet';
  // Closed from outside: what it had done is not known here.
  if (outcome === 'failed' && code === null) return 'the live release was not read';
  return 'nothing was touched; the live release was not read';
}
