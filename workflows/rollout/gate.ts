/**
 * The open approval: what must be signed, and how many people have approved. Also which facts decide the messages that a
 * rollout accepts. Pure.
 */
import type { GateView } from '../../src/model/access.js';
import type { Facts } from '../../src/model/rollout/gate.js';
import type { ApprovalSpec } from '../../src/model/spec.js';
import { isPart } from '../../src/model/traffic.js';
import { mayBeSkipped, type RolloutState } from './state.js';

/** What the rules of `src/model/rollout/gate.ts` use. */
export function factsOf(state: RolloutState): Facts {
  const { phase, outcome, code, startedBy, leave, kept, pause, step, split, release } = state;
  const { gate } = step;
  return {
    ...{ phase, outcome, code, startedBy },
    leaving: leave === null ? null : leave.reason,
    kept: kept !== null,
    paused: pause !== null,
    skippable: mayBeSkipped(state),
    undecided: step.hold?.about === 'undecided',
    gate:
      gate === undefined ? null : { stage: gate.stage, decidedBy: gate.decision?.by ?? null, open: openGate(state) },
    part: split !== null && isPart(split, release?.version ?? null),
  };
}

/** The gate as it is published. Null if none is open. */
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

/** A stage may be named like a built-in object property. */
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
