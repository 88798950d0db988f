/**
 * The companion of a target: the queue (one deep, the newest wins), the ledger of what was live, and the timer of the
 * rollback window, after which old releases are retired. One entity workflow per target, `target/<app>/<environment>`.
 */
import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  log,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
} from '@temporalio/workflow';
import type { Spec } from '../src/model/spec.js';
import { code } from '../src/model/text.js';
import type { LedgerEntry, TargetView } from '../src/model/view.js';
import { forward, light } from './calls.js';
import { failureOf } from './failures.js';
import { Growth } from './growth.js';
import type { RolloutEvent, Submission, UndoRecord } from './messages.js';
import { rolloutEventSignal, submitUpdate, targetQuery, undoQuery } from './messages.js';
import { type Queued, type QueueState, queuedView, startQueued, submit } from './queue.js';

/** Releases the ledger keeps. */
const KEPT = 50;
/** First and longest wait before a queued release, or retiring, looks again whether the way is free, in ms. */
const LOOK_AGAIN = 2_000;
const LOOK_AGAIN_MAX = 5 * 60_000;
const MANY_EVENTS = 2_000;

export interface TargetState extends QueueState {
  releases: LedgerEntry[];
  undo: (UndoRecord & { until: number }) | null;
  /** The record by which old releases are retired, once a window is over and until it is done. */
  retire: UndoRecord | null;
  running: TargetView['running'];
}

export async function target(app: string, environment: string, carried?: TargetState): Promise<void> {
  const state: TargetState = carried ?? {
    app,
    environment,
    releases: [],
    queued: null,
    starting: null,
    settled: [],
    undo: null,
    retire: null,
    running: null,
  };
  let wakes = 0;
  const growth = new Growth(() => ({ history: MANY_EVENTS, signals: MANY_EVENTS }));
  const wake = () => {
    wakes += 1;
  };

  setHandler(targetQuery, () => viewOf(state), { description: 'Ledger, queue and rollback window of the target.' });
  setHandler(
    undoQuery,
    () => {
      if (state.undo === null) return null;
      const { until: _until, ...record } = state.undo;
      return record;
    },
    {
      description: 'What `undo` goes back to.',
    },
  );
  setHandler(rolloutEventSignal, (event: unknown) => {
    growth.signal();
    if (!isEvent(event)) return;
    if (event.kind === 'ended') wake();
    take(state, event);
    show(state);
  });
  setHandler(
    submitUpdate,
    async (submission) => {
      const answer = await submit(state, submission, wake);
      show(state);
      return answer;
    },
    {
      description: 'Hands over a release for when the way is free (queue), or in place of the running one (replace).',
      validator: (submission) => {
        const given = submission as Partial<Submission> | null | undefined;
        if (
          typeof given !== 'object' ||
          given === null ||
          typeof given.input !== 'object' ||
          (given.mode !== 'queue' && given.mode !== 'replace')
        ) {
          throw ApplicationFailure.nonRetryable(
            'submit takes {type, input, mode: "queue" | "replace", by, message}',
            'SLUICE_SPEC',
          );
        }
      },
    },
  );
  setDefaultSignalHandler(() => {
    growth.signal();
  });
  show(state);

  let retiring = false;
  for (let wait = LOOK_AGAIN, seen = 0; ; ) {
    const due = nextDue(state, wait);
    growth.look();
    const asked = () => wakes !== seen || (growth.over && allHandlersFinished());
    let woken = true;
    if (due === null) await condition(asked);
    else woken = await condition(asked, due, { summary: dueSummary(state) });
    wait = woken ? LOOK_AGAIN : Math.min(wait * 2, LOOK_AGAIN_MAX);
    seen = wakes;
    await startQueued(state);
    endWindow(state);
    if (state.retire !== null && !retiring) {
      retiring = true;
      // Beside the queue: an account that no worker serves must not hold a release back.
      void retire(state).finally(() => {
        retiring = false;
      });
    }
    show(state);
    growth.look();
    if (growth.over && allHandlersFinished()) await continueAsNew<typeof target>(app, environment, state);
  }
}

function nextDue(state: TargetState, lookAgain: number): number | null {
  const dues = [
    state.queued === null && state.retire === null ? null : lookAgain,
    state.undo === null ? null : Math.max(1, state.undo.until - Date.now()),
  ].filter((due) => due !== null);
  return dues.length === 0 ? null : Math.min(...dues);
}

function dueSummary(state: TargetState): string {
  if (state.queued !== null) return 'look whether the queued release can start';
  return state.retire === null
    ? `rollback window to ${state.undo?.version}`
    : 'look whether old releases can be retired';
}

function take(state: TargetState, event: RolloutEvent): void {
  if (event.kind === 'began') {
    state.running = { run: event.run, strategy: event.strategy, since: event.at };
    return;
  }
  if (state.running?.run === event.run) state.running = null;
  const { entry } = event;
  if (entry === null || state.releases.some((each) => each.run === entry.run)) return;
  const [live] = state.releases;
  if (live !== undefined && live.until === null) live.until = entry.since;
  state.releases = [entry, ...state.releases].slice(0, KEPT);
  state.undo = event.undo === null ? null : { ...event.undo, until: entry.since + event.undo.window };
  // This release's own window comes first.
  if (state.undo !== null) state.retire = null;
}

/** The window is over: nothing goes back by `undo` any more, and old releases may go. */
function endWindow(state: TargetState): void {
  if (state.undo === null || Date.now() < state.undo.until) return;
  const { until: _until, ...record } = state.undo;
  state.retire = record;
  state.undo = null;
}

/** Not while a rollout runs: it may need a release that no alias holds, the candidate before its weight or stable in the last bake. */
async function retire(state: TargetState): Promise<void> {
  const { app, environment, retire: record } = state;
  if (record === null) return;
  const { version, seal = null } = record;
  const spec = record.spec as unknown as Spec;
  try {
    if (await light.isRunning({ app, environment })) return;
    const { deleted } = await forward(spec, 3_600_000, 'retire old releases').retire({ spec, keep: [], version, seal });
    log.info('retired', { deleted });
    for (const entry of state.releases) if (deleted.includes(entry.version)) entry.retired ??= Date.now();
  } catch (error) {
    log.warn('old releases could not be retired', { why: failureOf(error).message });
  }
  if (state.retire === record) state.retire = null;
}

function viewOf(state: TargetState): TargetView {
  const shown = (waiting: Queued | null) => (waiting === null ? null : queuedView(waiting));
  return {
    app: state.app,
    environment: state.environment,
    releases: state.releases,
    queued: shown(state.queued),
    starting: shown(state.starting),
    settled: state.settled,
    undo: state.undo === null ? null : { version: state.undo.version, until: state.undo.until },
    running: state.running,
  };
}

function show(state: TargetState): void {
  const live = state.releases.find((each) => each.until === null);
  const lines = [
    `## ${code(`${state.app}/${state.environment}`)}`,
    '',
    live === undefined
      ? 'Nothing released yet.'
      : `**Live:** release ${code(live.version)} since ${new Date(live.since).toISOString()} by ${code(live.by ?? 'somebody')}`,
  ];
  if (state.undo !== null)
    lines.push(
      '',
      `**Undo** goes back to release ${code(state.undo.version)} until ${new Date(state.undo.until).toISOString()}: ${code(`sluice undo ${state.app}/${state.environment}`)}`,
    );
  if (state.queued !== null)
    lines.push(
      '',
      `**Queued:** a release by ${code(state.queued.by ?? 'somebody')} since ${new Date(state.queued.since).toISOString()}`,
    );
  setCurrentDetails(lines.join('\n'));
}

/** Events come from anybody who can signal: what does not fit is not looked at, since a handler that throws would loop its task. */
function isEvent(event: unknown): event is RolloutEvent {
  const { kind, run, at, entry, undo } = fieldsOf(event);
  if (typeof run !== 'string' || !isTime(at)) return false;
  if (kind === 'began') return true;
  return kind === 'ended' && (entry === null || isEntry(entry)) && (undo === null || isRecord(undo));
}

function isEntry(entry: unknown): boolean {
  const { version, run, since, until } = fieldsOf(entry);
  return typeof version === 'string' && typeof run === 'string' && isTime(since) && (until === null || isTime(until));
}

function isRecord(undo: unknown): boolean {
  const { version, window, spec } = fieldsOf(undo);
  return typeof version === 'string' && isTime(window) && window < 10 * 365 * 86_400_000 && fieldsOf(spec) === spec;
}

/** ms since the epoch that a date can hold. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) < 4e15;
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
