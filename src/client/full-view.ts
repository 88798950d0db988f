/** One rollout in full. The memo of a closed run leaves out what takes much room; its result has all. */

import { SluiceError } from '../model/errors.js';
import { clean } from '../model/text.js';
import type { RolloutView } from '../model/view.js';
import type { Described } from '../temporal/described.js';
import type { Link } from './connect.js';
import { closedRun } from './list.js';
import { closedView, describe, look, under } from './look.js';
import type { AppEnvironment } from './types.js';

/** An id as the server gives it to a run, not shortened. */
const RUN_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** See `Sluice.rollout`. */
export async function rollout(link: Link, target: AppEnvironment, run?: string): Promise<RolloutView> {
  const latest = await describe(link, target);
  if (run === undefined || latest.run.endsWith(run)) return viewOf(link, target, latest);
  // A list shows a run only a moment after it has closed; an id that is not shortened needs no list.
  const found = RUN_ID.test(run) ? await under(link, target, run) : await closedRun(link, target, run);
  if (found == null) {
    const id = `${target.app}/${target.environment}`;
    throw new SluiceError(
      'SLUICE_NO_ROLLOUT',
      `there is no run "${clean(run, 60)}" of ${id} in namespace ${link.namespace}; \`sluice history ${id}\` shows its runs`,
    );
  }
  return viewOf(link, target, await describe(link, target, found.run));
}

async function viewOf(link: Link, target: AppEnvironment, seen: Described): Promise<RolloutView> {
  return seen.running ? (await look(link, target)).view : inFull(link, target, seen);
}

async function inFull(link: Link, target: AppEnvironment, seen: Described): Promise<RolloutView> {
  const handle = link.temporal.workflow.getHandle(seen.workflowId, seen.runId);
  const result = seen.status === 'COMPLETED' ? ((await handle.result().catch(() => null)) as RolloutView | null) : null;
  if (result?.schema === 1) return result;
  return closedView(link, target, seen);
}
