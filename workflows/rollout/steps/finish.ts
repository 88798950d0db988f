/** After this step, only an `undo` can roll back, as a rollout of its own. The last counts are checked before that. */
import type { Outcome } from '../outcome.js';
import type { Parts } from '../parts.js';

export async function finish({ watching }: Parts): Promise<Outcome> {
  const report = await watching.stop();
  return report?.verdict.state === 'unhealthy' ? 'unhealthy' : 'done';
}
