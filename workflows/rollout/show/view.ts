/** What a person sees of a rollout: the view as data, and the same as Markdown for the Temporal UI. Pure. */

import type { Prepared } from '../../../activities/types.js';
import type { AccessRecord } from '../../../src/model/access.js';
import { bypassHead, deployWords } from '../../../src/model/bypass.js';
import { choicesOf } from '../../../src/model/choices.js';
import { type Counts, type Pair, probeCalls } from '../../../src/model/counts.js';
import { environmentsNote } from '../../../src/model/environments.js';
import { shortPolicy } from '../../../src/model/identity.js';
import { estimate, evidence, grouped } from '../../../src/model/numbers.js';
import type { ApprovalSpec } from '../../../src/model/spec.js';
import { targetName } from '../../../src/model/target.js';
import { clean, code, duration } from '../../../src/model/text.js';
import { strange } from '../../../src/model/traffic.js';
import { unplanned } from '../../../src/model/unplanned.js';
import { VERB_TABLE } from '../../../src/model/verbs.js';
import type { AccessView, RolloutView, StageView, VerdictView, WaitingFor } from '../../../src/model/view.js';
import type { MessageVerb } from '../../../src/model/words.js';
import type { BeforeState } from '../../../src/platforms/port.js';
import type { Stage, Step } from '../../../src/strategies/types.js';
import { openGate, together } from '../gate.js';
import { mayBeSkipped, type RolloutState } from '../state.js';

export function stageViews({ plan, before }: Pick<Prepared, 'plan' | 'before'>): StageView[] {
  return plan.stages.map((stage) => ({
    name: stage.name,
    weight: weightOf(stage),
    state: 'waiting',
    steps: stage.steps.map((step) => describeStep(step, stage, before)).join(' · '),
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

export function describeStep(step: Step, stage: Stage, { bypass = [] }: Pick<BeforeState, 'bypass'>): string {
  switch (step.kind) {
    case 'deploy':
      return deployWords(step.into === 'idle', bypass.length > 0);
    case 'warm':
      return step.orGoOn === true ? `warm up for ${duration(step.deadline)} at most` : 'warm up';
    case 'probe':
      return `probe ${step.probes.join(', ')}`;
    case 'shift':
      return `shift to ${step.weight} %`;
    case 'bake':
      return `${step.warns === true ? 'look for' : 'bake'} ${duration(step.duration)}`;
    case 'compare':
      return `compare at ${step.weight} % for ${duration(step.duration)}, only if failures cross the ceiling`;
    case 'approve':
      return `approval of ${stage.name}${people(step.approval)} within ${duration(step.approval.within)}, else ${step.approval.onTimeout}`;
    case 'promote':
      return 'promote to 100 %';
    case 'finish':
      return 'finish';
  }
}

function people({ people: n, notStarter }: ApprovalSpec): string {
  const by = n === 1 ? '' : ` by ${n} people`;
  return notStarter ? `${by === '' ? ' by' : `${by},`} not the starter` : by;
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

function possible(state: RolloutState): MessageVerb[] {
  const { phase } = state;
  if (phase === 'done') return [];
  const gate = state.step.gate !== undefined && state.step.gate.decision === null;
  return (Object.keys(VERB_TABLE) as MessageVerb[]).filter((verb) => {
    if (VERB_TABLE[verb].in[phase] === undefined) return false;
    if (verb === 'approve' || verb === 'reject') return gate;
    if (verb === 'skip') return mayBeSkipped(state);
    if (verb === 'promote') return !gate && (phase !== 'held' || state.step.hold?.undecided === true);
    return true;
  });
}

function waitingFor(state: RolloutState): WaitingFor | null {
  const until = state.stages[state.cursor.stage]?.until ?? null;
  const stage = state.step.gate?.stage ?? null;
  const verbs = possible(state);
  const gate = openGate(state);
  switch (state.phase) {
    case 'baking':
      return {
        what: `the end of the ${state.type === 'undo' ? 'look' : 'bake'} at ${state.weight} %`,
        until,
        otherwise: state.type === 'undo' ? 'it ends, whatever it has found' : "the watcher's counts decide",
        verbs,
        stage: null,
        gate: null,
      };
    case 'awaitingApproval':
      return { what: approvalOf(state, stage), until, otherwise: approvalThen(state), verbs, stage, gate };
    case 'paused':
      return {
        what: 'somebody to resume it',
        until,
        otherwise: state.type === 'undo' ? 'it goes on' : 'all traffic goes back',
        verbs,
        stage,
        gate,
      };
    case 'held':
      return { what: heldFor(state), until, otherwise: 'all traffic goes back', verbs, stage, gate };
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

/** A hold for want of evidence ends by evidence too. */
function heldFor({ step }: RolloutState): string {
  return step.hold?.undecided === true
    ? 'a decision of a person, unless more counts let it pass or take it back'
    : 'a decision of a person';
}

/** `an approval of stage 10% (1 of 2 people, not ann)`. */
function approvalOf(state: RolloutState, stage: string | null): string {
  const gate = openGate(state);
  const asked = [
    ...(gate !== null && gate.people > 1 ? [`${gate.approved.length} of ${gate.people} people`] : []),
    ...(gate?.notStarter === true && state.startedBy !== null ? [`not by ${clean(state.startedBy, 60)}`] : []),
    ...(gate?.comment === true ? ['with a comment'] : []),
    ...(gate !== null && gate.approvers.length > 0 ? [`open to ${someOf(gate.approvers)}`] : []),
  ];
  return `an approval of stage ${stage}${asked.length === 0 ? '' : ` (${asked.join(', ')})`}`;
}

/** Names, a few of them. */
function someOf(names: string[]): string {
  const shown = names.slice(0, NAMES).map((name) => clean(name, 60));
  return together(names.length <= NAMES ? shown : [...shown, `${names.length - NAMES} more`]);
}

function approvalThen(state: RolloutState): string {
  const steps = state.prepared?.plan.stages[state.cursor.stage]?.steps ?? [];
  const step = steps[state.cursor.step];
  return step?.kind === 'approve' && step.approval.onTimeout === 'hold' ? 'it is held' : 'all traffic goes back';
}

function stuckFor(state: RolloutState, verbs: MessageVerb[]): WaitingFor {
  const base = { until: null, stage: null, gate: null };
  if (state.code === 'SLUICE_FOREIGN_CHANGE') {
    return {
      ...base,
      what: 'a person: somebody else changed the target',
      otherwise: 'nothing is written until then',
      // On the way back, what is adopted is written over: the same as force.
      verbs: state.leave === null ? ['abort', 'retry'] : ['abort'],
    };
  }
  if (state.prepared === null) {
    const busy = state.code === 'SLUICE_WORKERS_BUSY';
    return {
      ...base,
      what: busy ? 'a free place of the workers that serve the account' : 'a worker that serves the account',
      otherwise: busy ? 'it goes on by itself when one is free' : 'it goes on by itself when one comes',
      verbs,
    };
  }
  return {
    ...base,
    what: `the provider, which refuses to ${state.leave === null ? 'move the traffic' : 'take the traffic back'}`,
    otherwise: 'it is tried again and again',
    verbs,
  };
}

/** Approvers that are named where an approval is waited for. */
const NAMES = 6;

const FACES: Record<string, string> = { waiting: '○', running: '◐', passed: '✔', failed: '✖', skipped: '–' };

const HEADLINES: Record<string, string> = {
  succeeded: '✔ Succeeded',
  rolledBack: '↩ Rolled back',
  rejected: '✖ Rejected',
  superseded: '↷ Superseded',
  nothingToRelease: '✔ Nothing to release',
  abandoned: "⚑ Abandoned: somebody else's change was kept",
  failed: '✖ Refused: nothing was changed',
  baking: '◐ Baking',
  awaitingApproval: '◆ Waiting for an approval',
  paused: '‖ Paused',
  held: '◆ Held: a person must decide',
  restoring: '↩ Going back',
  stuck: '⚠ Stuck: needs a person',
};

/**
 * The Temporal UI's current details. The reason comes first, and where the rollout is stuck or held, what a person can do follows at
 * once; it comes with its exact payload.
 */
export function details(view: RolloutView): string {
  const head = HEADLINES[view.outcome ?? view.phase] ?? `◐ ${capital(view.phase)}`;
  const lines = [`## ${head}`];
  if (view.reason !== null) lines.push('', `**Why:** ${code(view.reason, 600)}`);
  // Where nothing goes on without a person, what they can do now stands above what has led there.
  const first = view.phase === 'stuck' || view.phase === 'held';
  const now = [...waitingLine(view), ...answers(view)];
  if (first) lines.push(...now);
  if (view.errors.length > 0) {
    lines.push(
      '',
      '**Most frequent errors of the candidate:**',
      ...view.errors.map(
        (e) =>
          `- ${e.count} × ${code(e.what)}${e.requestId === undefined ? '' : ` (request ${code(e.requestId, 60)})`}`,
      ),
    );
  }
  lines.push('', trafficLine(view), ...bypassLines(view));
  if (view.verdict !== null)
    lines.push('', `**Health:** ${view.verdict.state}: ${clean(view.verdict.why, 300)}`, ...countLines(view.verdict));
  lines.push(...evidenceLines(view), ...(first ? [] : waitingLine(view)));
  if (view.stages.length > 0)
    lines.push('', ...table([['', 'Stage', 'Candidate', 'Steps', 'State'], ...view.stages.map(stageRow)]));
  lines.push(...(first ? [] : answers(view)), ...accessLine(view));
  if (view.warnings.length > 0)
    lines.push('', '**Worth knowing:**', ...view.warnings.slice(0, 5).map((each) => `- ${code(each, 300)}`));
  if (view.refusals.length > 0)
    lines.push(
      '',
      `**Refused messages (${view.refusalsTotal}):**`,
      ...view.refusals.slice(-5).map((r) => `- ${time(r.at)} ${code(r.verb, 40)} by ${code(r.by, 60)}: ${code(r.why)}`),
    );
  if (view.events.length > 0)
    lines.push(
      '',
      '**What happened:**',
      ...view.events
        .slice(-8)
        .map((e) => `- ${time(e.at)} ${code(e.text, 300)}${e.by === undefined ? '' : ` by ${code(e.by, 60)}`}`),
    );
  return lines.join('\n');
}

function accessOf({ policy, starter, others = [] }: AccessRecord): AccessView {
  return { policy, starter, others };
}

/** Whoever looks knows whether anybody could have said what was said here. */
function accessLine({ access, startedBy }: RolloutView): string[] {
  if (access === null) return [];
  const others = otherLines(access);
  if (access.policy === null) {
    return [
      '',
      '**Open:** there is no policy; whoever reaches this namespace can start, approve and abort.',
      ...others,
    ];
  }
  const by = access.starter === null ? 'started without a signature' : `started by ${code(startedBy, 60)}, signed`;
  return ['', `**Policy** ${code(shortPolicy(access.policy))}: ${by}.`, ...others];
}

function otherLines({ others }: AccessView): string[] {
  if (others.length === 0) return [];
  const each = others.map(({ policy, worker }) => `${code(policy, 20)} (worker ${code(worker, 80)})`);
  return ['', `**Workers go by different policies:** also ${each.join(', ')}.`];
}

/** That a split is left with nobody watching it. */
function unwatched({ kept }: RolloutView): string {
  return kept?.unwatched === true ? ' **— nobody watches it**' : '';
}

function trafficLine(view: RolloutView): string {
  const target = view.target === '' ? '' : `${code(view.target)}: `;
  if (view.outcome === 'succeeded')
    return `**Traffic:** ${target}100 % on release **${view.candidate}**${environmentsNote(view)}`;
  const unread = unplanned(view);
  if (unread !== null) return `**Traffic:** ${target}${unread}`;
  const read = strange(view);
  if (read !== null) return `**Traffic, as it was read:** ${target}${code(read)}${unwatched(view)}`;
  if (view.weight === 100) {
    const old = view.stable === null ? '' : `; **${view.stable}** is ready to take over again`;
    return `**Traffic:** ${target}100 % on release **${view.candidate}**${old}${environmentsNote(view)}`;
  }
  if (view.candidate === null || view.weight === 0)
    return `**Traffic:** ${target}100 % on release **${view.stable ?? 'none yet'}**${view.candidate === null ? '' : `, candidate **${view.candidate}** has none`}${environmentsNote(view)}`;
  return `**Traffic:** ${target}${100 - view.weight} % on stable **${view.stable ?? 'none'}**, ${view.weight} % on candidate **${view.candidate}**${environmentsNote(view)}${unwatched(view)}`;
}

/** Users' requests and our probes' calls, which are different evidence. */
function countLines(verdict: VerdictView): string[] {
  const probes = probeCalls(verdict);
  const line = (whose: string, { candidate, stable }: Pair) =>
    `- **${whose}:** candidate ${failedOf(candidate)}, stable ${failedOf(stable)}`;
  return [
    '',
    line(verdict.counted === 'probes' ? 'Our probes' : 'Users', verdict),
    ...(probes === null ? [] : [line('Our probes', probes)]),
  ];
}

function failedOf({ requests, errors }: Counts): string {
  return `${grouped(errors)} of ${grouped(requests)} failed`;
}

/** Who does not wait for a weight. */
function bypassLines({ bypass, outcome }: RolloutView): string[] {
  if (bypass.length === 0) return [];
  return ['', `**${bypassHead(outcome)}:**`, ...bypass.map(({ id, what }) => `- ${code(id, 60)}: ${code(what, 300)}`)];
}

/** Questions to sources that the current details show; `sluice get` and the report show all. */
const ASKED = 8;

/** The evidence against its limit, and what the sources were asked: enough to check the verdict by hand. */
function evidenceLines({ verdict }: RolloutView): string[] {
  if (verdict === null) return [];
  const needed =
    verdict.needed === null || verdict.needed === 0
      ? ''
      : `; about ${estimate(verdict.needed)} more requests of the candidate to show that it is no worse`;
  return [
    '',
    `**Evidence:** ${evidence(verdict)}${needed}`,
    ...verdict.asked
      .slice(0, ASKED)
      .map(({ source, query, answer }) => `- ${code(source, 60)}: ${code(query, 300)} → ${code(answer, 200)}`),
  ];
}

function waitingLine(view: RolloutView): string[] {
  const { waitingFor: waits } = view;
  if (waits === null) return [];
  const until = waits.until === null ? '' : ` until **${time(waits.until)}**; then ${waits.otherwise}`;
  return ['', `**Waiting for** ${waits.what}${until}.`];
}

/** What a person can do now, with the exact input of each signal. */
function answers(view: RolloutView): string[] {
  const choices = choicesOf(view);
  if (choices.length === 0) return [];
  const rows = choices.map(({ verb, does, payload, command }) => [
    `**${verb}**`,
    clean(does, 200),
    signed(view) ? 'must be signed' : code(payload),
    code(command),
  ]);
  const head = ['Signal', 'What it does', 'Input', 'Command'];
  return [
    '',
    signed(view)
      ? '**What you can do:** a command in a terminal, with your key (`sluice key`); what is sent unsigned is refused:'
      : '**What you can do:** More Actions → Send a Signal, or a command in a terminal:',
    '',
    ...table([head, ...rows]),
  ];
}

function signed(view: RolloutView): boolean {
  return view.access !== null && view.access.policy !== null;
}

function stageRow(stage: StageView): string[] {
  const state =
    stage.state === 'running' && stage.current !== null
      ? `${stage.current}${stage.until === null ? '' : `, until ${time(stage.until)}`}`
      : stage.state;
  return [
    FACES[stage.state] ?? '',
    clean(stage.name, 60),
    stage.weight === null ? '' : `${stage.weight} %`,
    clean(stage.steps, 200),
    clean(state, 200),
  ];
}

/** A Markdown table with padded cells: the UI does not pad them. */
function table(rows: string[][]): string[] {
  const safe = rows.map((row) => row.map((cell) => `${cell.replaceAll('|', '\\|')}\u00a0\u00a0`));
  const widths = (safe[0] ?? []).map((_, column) => Math.max(3, ...safe.map((row) => (row[column] ?? '').length)));
  const line = (row: string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 3)).join(' | ')} |`;
  const [head = [], ...body] = safe;
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...body.map(line)];
}

function time(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
