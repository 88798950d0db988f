/** What a person sees of a rollout, as data. Pure. */
import type { Prepared } from '../../../activities/types.js';
import type { AccessRecord } from '../../../src/model/access.js';
import { offers, verbsOf } from '../../../src/model/rollout/next.js';
import { stepLine } from '../../../src/model/rollout/words.js';
import { targetName } from '../../../src/model/target.js';
import { clean } from '../../../src/model/text.js';
import type { AccessView, RolloutView, StageView, WaitingFor } from '../../../src/model/view.js';
import type { MessageVerb } from '../../../src/model/words.js';
import type { Stage } from '../../../src/strategies/types.js';
import { factsOf, openGate, together } from '../gate.js';
import type { RolloutState } from '../state.js';

/** How many approvers are named while waiting for an approval. */
const NAMES = 6;

export function stageViews({ plan, before }: Pick<Prepared, 'plan' | 'before'>): StageView[] {
  const bypass = (before.bypass ?? []).length > 0;
  return plan.stages.map((stage) => ({
    name: stage.name,
    weight: weightOf(stage),
    state: 'waiting',
    steps: stage.steps.map((step) => stepLine(step, stage.name, bypass)).join(' · '),
    current: null,
    startedAt: null,
    endedAt: null,
    until: null,
    note: null,
  }));
}

function weightOf(stage: Stage): number | null {
  for (const step of stage.steps) {
    if (step.kind === 'shift') return step.weight;
    if (step.kind === 'promote') return 100;
  }
  return null;
}

export function viewOf(state: RolloutState): RolloutView {
  const spec = state.spec;
  return {
    schema: 1,
    app: state.app,
    environment: state.environment,
    run: state.run,
    strategy: state.type,
    phase: state.phase,
    outcome: state.outcome,
    reason: state.reason,
    code: state.code,
    waitingFor: waitingFor(state),
    target: spec === null ? '' : targetName(spec.target),
    platform: spec?.target.platform ?? '',
    stable: state.prepared?.before.split.stable ?? null,
    candidate: state.release?.version ?? null,
    weight: state.weight,
    split: state.split,
    kept: state.kept,
    live: state.environments?.live ?? null,
    bypass: state.prepared?.before.bypass ?? [],
    stages: state.stages.map((stage) => ({ ...stage })),
    verdict: state.verdict,
    series: state.series,
    errors: state.errors,
    events: state.events,
    eventsTotal: state.eventsTotal,
    refusals: state.refusals,
    refusalsTotal: state.refusalsTotal,
    startedBy: state.startedBy,
    message: state.message,
    startedAt: state.startedAt,
    phaseSince: state.phaseSince,
    endedAt: state.endedAt,
    warnings: [...(state.found ?? []), ...(state.prepared?.warnings ?? [])],
    access: state.access === null ? null : accessOf(state.access),
  };
}

function waitingFor(state: RolloutState): WaitingFor | null {
  const until = state.stages[state.cursor.stage]?.until ?? null;
  const stage = state.step.gate?.stage ?? null;
  const verbs = verbsOf(offers(factsOf(state)));
  const gate = openGate(state);
  switch (state.phase) {
    case 'baking':
      return { ...bakingFor(state), until, verbs, stage: null, gate: null };
    case 'awaitingApproval':
      return { what: approvalOf(state, stage), until, otherwise: approvalThen(state), verbs, stage, gate };
    case 'paused':
      return {
        what: 'someone to resume it',
        until,
        otherwise: pauseThen(state, until),
        verbs,
        stage,
        gate,
      };
    case 'held':
      return { what: heldFor(state), until, otherwise: 'it rolls back', verbs, stage, gate };
    case 'stuck':
      return stuckFor(state, verbs);
    case 'pending':
    case 'preparing':
    case 'deploying':
    case 'shifting':
    case 'promoting':
    case 'restoring':
    case 'done':
      return null;
  }
}

/** A bake, a comparison, or the probes of a candidate that has weight. */
function bakingFor({ type, weight, step, prepared, cursor }: RolloutState): Pick<WaitingFor, 'what' | 'otherwise'> {
  if (type === 'undo') return { what: `the end of the bake at ${weight} %`, otherwise: 'it ends, whatever it found' };
  if (step.compare !== undefined)
    return { what: `the end of the comparison at ${weight} %`, otherwise: 'the counts decide' };
  const { kind } = prepared?.plan.stages[cursor.stage]?.steps[cursor.step] ?? {};
  return {
    what: kind === 'probe' ? 'the probes' : `the end of the bake at ${weight} %`,
    otherwise: 'the counts decide',
  };
}

/** A hold for want of evidence also ends when enough evidence arrives. */
function heldFor({ step }: RolloutState): string {
  return step.hold?.about === 'undecided'
    ? 'a person to decide, unless more counts settle it first'
    : 'a person to decide';
}

/** `approval of stage 10% (1 of 2 people, not ann)`. */
function approvalOf(state: RolloutState, stage: string | null): string {
  const gate = openGate(state);
  const asked = [
    ...(gate !== null && gate.people > 1 ? [`${gate.approved.length} of ${gate.people} people`] : []),
    ...(gate?.notStarter === true && state.startedBy !== null ? [`not by ${clean(state.startedBy, 60)}`] : []),
    ...(gate?.comment === true ? ['with a comment'] : []),
    ...(gate !== null && gate.approvers.length > 0 ? [`open to ${someOf(gate.approvers)}`] : []),
  ];
  return `approval of stage ${stage}${asked.length === 0 ? '' : ` (${asked.join(', ')})`}`;
}

/** The first few names. */
function someOf(names: string[]): string {
  const shown = names.slice(0, NAMES).map((name) => clean(name, 60));
  return together(names.length <= NAMES ? shown : [...shown, `${names.length - NAMES} more`]);
}

/** What ends a pause: its own time, or an open approval's if that is over first. */
function pauseThen(state: RolloutState, until: number | null): string {
  const { gate } = state.step;
  if (gate !== undefined && gate.decision == null && gate.until === until) return approvalThen(state);
  return state.type === 'undo' ? 'it resumes' : 'it rolls back';
}

function approvalThen(state: RolloutState): string {
  const steps = state.prepared?.plan.stages[state.cursor.stage]?.steps ?? [];
  const step = steps[state.cursor.step];
  return step?.kind === 'approve' && step.approval.onTimeout === 'hold' ? 'it is held' : 'it rolls back';
}

function stuckFor(state: RolloutState, verbs: MessageVerb[]): WaitingFor {
  const base = { until: null, stage: null, gate: null };
  if (state.code === 'SLUICE_FOREIGN_CHANGE') {
    return {
      ...base,
      what: 'a person to decide, since someone else changed the target',
      otherwise: 'nothing is written until then',
      verbs,
    };
  }
  if (state.prepared === null) {
    const busy = state.code === 'SLUICE_WORKERS_BUSY';
    return {
      ...base,
      what: busy ? 'a free slot on the workers that serve the account' : 'a worker that serves the account',
      otherwise: busy ? 'it continues by itself when one is free' : 'it continues by itself when one connects',
      verbs,
    };
  }
  return {
    ...base,
    what: `the provider, which refuses to ${state.leave === null ? 'move the traffic' : 'roll the traffic back'}`,
    otherwise: 'Sluice keeps retrying',
    verbs,
  };
}

function accessOf({ policy, starter, others = [] }: AccessRecord): AccessView {
  return { policy, starter, others };
}
