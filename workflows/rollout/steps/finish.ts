/** Ends the way back: from here on `undo` is a rollout of its own. The last counts decide before that. */
import type { Outcome } from '../outcome.js';
import type { Parts } from '../parts.js';

export async function finish({ watching }: Parts): Promise<Outcome> {
  const report = await watching.stop();
  return report?.verdict.state === 'unhealthy' ? 'unhealthy' : 'done';
}
