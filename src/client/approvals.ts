/** The approvals that are open, over all targets. */
import { rolloutId } from '../model/ids.js';
import type { RolloutView } from '../model/view.js';
import type { Link } from './connect.js';
import { list } from './list.js';
import { ask } from './look.js';
import type { OpenApproval } from './types.js';

/** Phases in which an approval may be open. */
const PHASES = ['awaitingApproval', 'paused', 'held'] as const;

/** See `Sluice.approvals`. */
export async function approvals(link: Link): Promise<OpenApproval[]> {
  const found = await Promise.all(PHASES.map((phase) => list(link, { phase })));
  const views = await Promise.all(
    found.flat().map(async ({ app, environment }) => {
      const handle = link.temporal.workflow.getHandle(rolloutId(app, environment));
      return ask(link, handle).catch(() => null);
    }),
  );
  const name = (await link.signer())?.name ?? null;
  return views.flatMap((view) => openIn(view, name)).sort((a, b) => a.gate.expires - b.gate.expires);
}

function openIn(view: RolloutView | null, name: string | null): OpenApproval[] {
  const gate = view?.waitingFor?.gate ?? null;
  if (view === null || gate === null) return [];
  const { app, environment, run, candidate, weight, startedBy, message } = view;
  return [{ app, environment, run, candidate, weight, startedBy, message, gate, mine: isMine(view, name) }];
}

/** Whether this person's approval would count. */
function isMine({ waitingFor, startedBy }: RolloutView, name: string | null): boolean {
  const gate = waitingFor?.gate ?? null;
  if (gate === null) return false;
  if (gate.approvers.length === 0) return true;
  if (name === null || !gate.approvers.includes(name)) return false;
  return !gate.approved.includes(name) && !(gate.notStarter && startedBy === name);
}
