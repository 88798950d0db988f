/** The approvals that are open, over all targets. */
import { rolloutId } from '../model/ids.js';
import { mayNot, unmet } from '../model/rollout/gate.js';
import type { RolloutView } from '../model/view.js';
import type { Link } from './connect.js';
import { toSluiceError } from './errors.js';
import { inPhases } from './list.js';
import { ask } from './look.js';
import type { Approvals, OpenApproval, Unasked } from './types.js';

/** Phases in which an approval may be open. */
const PHASES = ['awaitingApproval', 'paused', 'held'] as const;

/** See `Sluice.approvals`. */
export async function approvals(link: Link): Promise<Approvals> {
  const name = (await link.signer())?.name ?? null;
  const answers = await Promise.all(
    (await inPhases(link, PHASES)).map(async ({ app, environment }): Promise<OpenApproval[] | Unasked> => {
      const handle = link.temporal.workflow.getHandle(rolloutId(app, environment));
      try {
        return openIn(await ask(link, handle), name);
      } catch (error) {
        // One that cannot be queried hides none of the others, and is not one without an approval.
        const { code, message } = toSluiceError(error, link.address);
        return { app, environment, code, message };
      }
    }),
  );
  return {
    open: answers.flatMap((each) => (Array.isArray(each) ? each : [])).sort((a, b) => a.gate.expires - b.gate.expires),
    unasked: answers.flatMap((each) => (Array.isArray(each) ? [] : [each])),
  };
}

function openIn(view: RolloutView, name: string | null): OpenApproval[] {
  const gate = view.waitingFor?.gate ?? null;
  if (gate === null) return [];
  const { app, environment, run, candidate, weight, startedBy, message } = view;
  const notMine = whyNotMine({ gate, startedBy }, name);
  return [{ app, environment, run, candidate, weight, startedBy, message, gate, mine: notMine === null, notMine }];
}

/** Why this person's approval would not count; null when it would. */
export function whyNotMine(
  { gate, startedBy }: Pick<OpenApproval, 'gate' | 'startedBy'>,
  name: string | null,
): string | null {
  if (gate.approvers.length === 0) return null;
  if (name === null) return 'you have no key: `sluice key`';
  if (!gate.approvers.includes(name)) return mayNot(name, 'approve', gate.approvers);
  // Whoever approves can still say why.
  return unmet('approve', { by: name, comment: 'why' }, gate, startedBy);
}
