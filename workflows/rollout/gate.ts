/** The approval that is open: what must be signed, and how far it is. Pure. */
import type { GateView } from '../../src/model/access.js';
import type { ApprovalSpec } from '../../src/model/spec.js';
import type { RolloutState } from './state.js';

/** The gate as it is published. Null when none is open. */
export function openGate(state: RolloutState): GateView | null {
  const { gate } = state.step;
  const asked = askedFor(state);
  if (gate === undefined || gate.decision !== null || asked === null || state.prepared === null) return null;
  return {
    id: gate.id,
    stage: gate.stage,
    plan: state.prepared.digest,
    expires: gate.until,
    people: asked.people,
    approved: gate.approvals.map(({ by }) => by),
    approvers: approversOf(state.prepared.approvers, gate.stage),
    notStarter: asked.notStarter,
    comment: asked.comment,
  };
}

/** A stage may be called as every object has members. */
function approversOf(approvers: Record<string, string[]>, stage: string): string[] {
  return Object.hasOwn(approvers, stage) ? (approvers[stage] ?? []) : [];
}

function askedFor(state: RolloutState): ApprovalSpec | null {
  const step = state.prepared?.plan.stages[state.cursor.stage]?.steps[state.cursor.step];
  return step?.kind === 'approve' ? step.approval : null;
}

/** `ann`, `ann and ben`, `ann, ben and cem`. */
export function together(names: string[]): string {
  return names.length < 2 ? (names[0] ?? 'nobody') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
