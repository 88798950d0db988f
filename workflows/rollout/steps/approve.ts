/** Waits for people to approve the stage, with reminders; without an answer in time it rolls back or holds. */
import { duration } from '../../../src/model/text.js';
import type { ApproveStep, Stage } from '../../../src/strategies/types.js';
import { holdFor } from '../hold.js';
import { LONGEST_REMINDER, type Outcome } from '../outcome.js';
import type { Parts } from '../parts.js';
import type { Gate } from '../state.js';

export async function approve(parts: Parts, stage: Stage, step: ApproveStep): Promise<Outcome> {
  const { run, flow, watching, announcements } = parts;
  const { state, requests, journal } = run;
  const { within, remindEvery } = step.approval;
  const here = state.step;
  const first = here.gate === undefined;
  here.gate ??= {
    id: step.id,
    stage: stage.name,
    until: Date.now() + within,
    remind: remindEvery,
    approvals: [],
    decision: null,
  };
  const { gate } = here;
  if (state.weight > 0 && here.harmKnown !== true) watching.ensure();
  if (gate.decision !== null) return decided(parts, gate.stage, gate.decision);
  if (Date.now() >= gate.until) return timedOut(parts, stage, step);
  journal.enter('awaitingApproval', `stage ${stage.name} is waiting for approval`);
  journal.deadline(gate.until);
  if (first) void announcements.notify('waiting');
  const asked = () => gate.decision !== null || requests.pause !== undefined;
  const left = gate.until - Date.now();
  const summary = `approval of ${stage.name} within ${duration(within)}`;
  const waited = await flow.until(asked, Math.min(left, gate.remind), summary);
  if (waited !== 'asked' && waited !== 'elapsed') return waited;
  if (waited === 'elapsed' && gate.remind < left) {
    gate.remind = Math.min(gate.remind * 2, LONGEST_REMINDER);
    void announcements.notify('reminder');
  }
  return 'again';
}

function timedOut(parts: Parts, stage: Stage, { approval }: ApproveStep): Outcome {
  const why = `stage ${stage.name} was not approved within ${duration(approval.within)}`;
  if (approval.onTimeout === 'rollback') return { leave: { outcome: 'rolledBack', reason: why, code: null } };
  holdFor(parts, 'approval', why);
  return 'again';
}

function decided({ run }: Parts, stage: string, decision: NonNullable<Gate['decision']>): Outcome {
  const comment = decision.comment === null ? '' : `: ${decision.comment}`;
  if (decision.approved) {
    run.journal.event(`stage ${stage} approved${comment}`, decision.by);
    return 'done';
  }
  const reason = `stage ${stage} was rejected by ${decision.by}${comment}`;
  return { leave: { outcome: 'rejected', reason, code: null } };
}
