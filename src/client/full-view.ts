/** One rollout in full. The memo of a closed run leaves out what takes much room; its result has all. */

import { SluiceError } from '../model/errors.js';
import { clean } from '../model/text.js';
import type { RolloutView } from '../model/view.js';
import type { Described } from '../temporal/described.js';
import type { Link } from './connect.js';
import { closedRun } from './list.js';
import { closedView, describe, look } from './look.js';
import type { AppEnvironment } from './types.js';

/** See `Sluice.rollout`. */
export async function rollout(link: Link, target: AppEnvironment, run?: string): Promise<RolloutView> {
  const latest = await describe(link, target);
  if (run === undefined || latest.run.endsWith(run)) {
    return latest.running ? (await look(link, target)).view : inFull(link, target, latest);
  }
  const past = await closedRun(link, target, run);
  if (past === undefined) {
    const id = `${target.app}/${target.environment}`;
    throw new SluiceError(
      'SLUICE_NO_ROLLOUT',
      `there is no run "${clean(run, 60)}" of ${id} in namespace ${link.namespace}; \`sluice history ${id}\` shows its runs`,
    );
  }
  return inFull(link, target, await describe(link, target, past.run));
}

async function inFull(link: Link, target: AppEnvironment, seen: Described): Promise<RolloutView> {
  const handle = link.temporal.workflow.getHandle(seen.workflowId, seen.runId);
  // A run that went on as a new one ended as that one did, and its result is that one's.
  const ended = seen.status === 'COMPLETED' || seen.status === 'CONTINUED_AS_NEW';
  const result = ended ? ((await handle.result().catch(() => null)) as RolloutView | null) : null;
  if (result?.schema === 1) return result;
  return closedView(link, target, seen);
}
