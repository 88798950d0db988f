/**
 * The companion of a target. It keeps the queue (one deep, the newest wins), the ledger of what was live, and the timer of
 * the rollback window, after which old releases are deleted. One entity workflow per target, `companion/<app>/<environment>`.
 */
import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  log,
  setDefaultSignalHandler,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { heldMessage } from '../../src/model/hold.js';
import { rolloutId } from '../../src/model/ids.js';
import { failureOf } from '../../src/model/rollout/failure.js';
import { sealedOf } from '../../src/model/sealed.js';
import type { Spec } from '../../src/model/spec.js';
import { core, forward } from '../calls.js';
import type { RolloutEvent, Submission, UndoAnswer, UndoRecord } from '../messages.js';
import { companionQuery, heldQuery, rolloutEventSignal, submitUpdate, undoQuery, unholdUpdate } from '../messages.js';
import { RunLength } from '../run-length.js';
import { LONGEST_RELEASE, Unsealing } from '../unsealing.js';
import { eventOf } from './events.js';
import { beginsUndo, released, remember, type Unhold, undoingOf, unholdRefusal } from './hold.js';
import { lookLate, untilLook, watchLate } from './late.js';
import { startQueued, submissionOf, submit } from './queue.js';
import type { CompanionState } from './state.js';
import { heldIn, show, viewOf } from './view.js';

/** Releases the ledger keeps. */
const KEPT = 50;
/** First and longest wait before checking again whether a queued release can start or old releases can be deleted, in ms. */
const LOOK_AGAIN = 2_000;
const LOOK_AGAIN_MAX = 5 * 60_000;
const MANY_EVENTS = 2_000;
/**
 * How long to wait for a worker with the key of an event that no worker can decrypt yet, in ms. Without the event the ledger
 * is wrong, but an event that nobody can decrypt must not block the others for long.
 */
const PATIENCE = 2 * 60_000;

export async function companion(app: string, environment: string, carried?: CompanionState): Promise<void> {
  // Only a run that continues another one has a state. Anyone could pass one to a start.
  const goesOn = workflowInfo().continuedFromExecutionRunId !== undefined;
  const fresh: CompanionState = {
    app,
    environment,
    releases: [],
    queued: null,
    starting: null,
    settled: [],
    undo: null,
    retire: null,
    base: null,
    running: null,
    hold: null,
    undoing: null,
    late: null,
    takenBack: null,
  };
  const state: CompanionState = { ...fresh, ...(goesOn ? carried : undefined) };
  remember(state);
  let wakes = 0;
  /** Undos that are being checked; nothing is started meanwhile. */
  let asked = 0;
  const events = new Unsealing({ longest: LONGEST_RELEASE, patience: PATIENCE });
  const updates = new Unsealing({ longest: LONGEST_RELEASE, patience: 0 });
  const length = new RunLength(
    () => ({ history: MANY_EVENTS, signals: MANY_EVENTS }),
    () => events.idle,
  );
  const wake = () => {
    wakes += 1;
  };

  setHandler(companionQuery, () => viewOf(state), { description: 'Ledger, queue and rollback window of the target.' });
  setHandler(heldQuery, () => heldIn(state), {
    description: 'Digests of what the artifact store keeps for the target.',
  });
  setHandler(undoQuery, (to) => backTo(state, typeof to === 'string' ? to : null), {
    description: 'What `undo` rolls back to: null, or the version of a release in the ledger.',
  });
  const hear = (given: unknown) => {
    const event = eventOf(given);
    if (event === null) return;
    if (event.kind === 'ended') wake();
    take(state, event);
    show(state);
    if (event.kind !== 'began' || event.undo === undefined) return;
    asked += 1;
    void beginsUndo(state, event.run, event.undo).finally(() => {
      asked -= 1;
      wake();
      show(state);
    });
  };
  setHandler(rolloutEventSignal, (given: unknown) => {
    length.signal();
    const sealed = sealedOf(given);
    if (sealed === null) return hear(given);
    events.line('rolloutEvent', sealed, (found) => {
      if (found.ok) hear(found.value);
      else log.warn('an event of a rollout cannot be decrypted and is missing from the ledger', { why: found.why });
    });
  });
  setHandler(
    unholdUpdate,
    async (given) => {
      const sealed = sealedOf(given);
      const request: unknown = sealed === null ? given : await unsealed(updates, 'unhold', sealed);
      mustBeUnhold(state, request);
      const answer = await released(state, request ?? undefined);
      wake();
      show(state);
      return answer;
    },
    {
      description: 'Ends the hold on a target, so that rollouts can start again. Input: {"by":"ann"}',
      validator: (given) => {
        if (sealedOf(given) === null) mustBeUnhold(state, given);
      },
    },
  );
  setHandler(
    submitUpdate,
    async (given) => {
      const sealed = sealedOf(given);
      const submission = mustBeSubmission(sealed === null ? given : await unsealed(updates, 'submit', sealed));
      const mustBeOpen = async () => {
        do {
          // What came before may have been an undo, or may have held the target.
          if (events.busy) await condition(() => !events.busy);
          if (submission.type !== 'undo') await refuseBeside(state);
        } while (events.busy);
        mustBeFree(state);
      };
      await mustBeOpen();
      length.look();
      const answer = await submit(state, submission, mustBeOpen, wake);
      show(state);
      return answer;
    },
    {
      description:
        'Submits a release, to start when the target is free (queue) or in place of the running one (replace).',
      validator: (submission) => {
        mustBeFree(state);
        // An encrypted message is handled once a worker has decrypted it.
        if (sealedOf(submission) === null) mustBeSubmission(submission);
      },
    },
  );
  setDefaultSignalHandler(() => {
    length.signal();
  });
  show(state);

  let retiring = false;
  let looking = false;
  for (let wait = LOOK_AGAIN, seen = 0; ; ) {
    const due = nextDue(state, wait, looking);
    length.look();
    const isDue = () => wakes !== seen || (length.over && asked === 0 && allHandlersFinished());
    let woken = true;
    if (due === null) await condition(isDue);
    else woken = await condition(isDue, due, { summary: dueSummary(state) });
    wait = woken ? LOOK_AGAIN : Math.min(wait * 2, LOOK_AGAIN_MAX);
    seen = wakes;
    await condition(() => asked === 0 && !events.busy);
    await startQueued(state);
    endWindow(state);
    if (state.retire !== null && !retiring) {
      retiring = true;
      // Runs beside the queue: an account without a worker must not block a release.
      void retire(state).finally(() => {
        retiring = false;
      });
    }
    if (!looking && untilLook(state) === 0) {
      looking = true;
      void lookLate(state).finally(() => {
        looking = false;
        wake();
        show(state);
      });
    }
    show(state);
    length.look();
    if (length.over && asked === 0 && allHandlersFinished())
      await continueAsNew<typeof companion>(app, environment, state);
  }
}

/** Errors: SLUICE_SPEC. */
function mustBeSubmission(given: unknown): Submission {
  const submission = submissionOf(given);
  if (submission !== null) return submission;
  throw ApplicationFailure.nonRetryable(
    'submit takes {type, input, mode: "queue" | "replace", by, message}',
    'SLUICE_SPEC',
  );
}

/** Errors: SLUICE_VERB. */
function mustBeUnhold(state: CompanionState, given: unknown): asserts given is Unhold | null | undefined {
  const why = unholdRefusal(state, given);
  if (why !== null) throw ApplicationFailure.nonRetryable(why, 'SLUICE_VERB');
}

/** Errors: SLUICE_HELD. */
function mustBeFree({ app, environment, hold }: CompanionState): void {
  if (hold !== null)
    throw ApplicationFailure.nonRetryable(heldMessage(rolloutId(app, environment), hold), 'SLUICE_HELD');
}

/** The content of an encrypted update. Errors: SLUICE_SEALED if it cannot be decrypted. */
async function unsealed(unsealing: Unsealing, name: string, sealed: string): Promise<unknown> {
  const found = await unsealing.one(name, sealed);
  if (found.ok) return found.value;
  throw ApplicationFailure.nonRetryable(
    `${name} cannot be decrypted, so nothing was done: ${found.why}`,
    'SLUICE_SEALED',
  );
}

/** `looking`: a check for late calls is running, and wakes this when it is done. */
function nextDue(state: CompanionState, lookAgain: number, looking: boolean): number | null {
  const look = looking ? null : untilLook(state);
  const dues = [
    (state.queued === null || state.hold !== null) && state.retire === null ? null : lookAgain,
    state.undo === null ? null : Math.max(1, state.undo.until - Date.now()),
    look === null ? null : Math.max(1, look),
  ].filter((due) => due !== null);
  return dues.length === 0 ? null : Math.min(...dues);
}

function dueSummary(state: CompanionState): string {
  if (state.queued !== null) return 'check whether the queued release can start';
  if (state.retire === null && state.undo === null) return 'check for late calls of a first deployment';
  return state.retire === null
    ? `rollback window to ${state.undo?.version}`
    : 'check whether old releases can be retired';
}

function take(state: CompanionState, event: RolloutEvent): void {
  if (event.kind === 'began') {
    state.running = { run: event.run, strategy: event.strategy, since: event.at };
    state.undoing = undoingOf(event);
    return;
  }
  if (state.running?.run === event.run) state.running = null;
  if (state.undoing?.run === event.run) state.undoing = null;
  watchLate(state, event.late);
  const { entry } = event;
  if (entry === null || state.releases.some((each) => each.run === entry.run)) return;
  const [live] = state.releases;
  // What someone else has put there may have been live all along.
  if (entry.kept?.split.candidate === null && live?.version === entry.version && live.until === null) return;
  if (live !== undefined && live.until === null) live.until = entry.since;
  state.releases = [entry, ...state.releases].slice(0, KEPT);
  state.takenBack = null;
  const { undo } = event;
  // If this release replaced nothing, the previous release's record says where the target is.
  const last = lastRecord(state);
  state.undo = undo === null ? null : { ...undo, until: (undo.since ?? event.at) + undo.window };
  // This release's own window takes precedence.
  if (state.undo !== null) state.retire = null;
  state.base = state.undo === null && state.retire === null ? last : null;
}

/** The newest record: within the rollback window, while old releases are being deleted, or after that. */
function lastRecord({ undo, retire, base }: CompanionState): UndoRecord | null {
  if (undo === null) return retire ?? base;
  const { until: _until, ...record } = undo;
  return record;
}

/** What an undo needs: without a release only within the window, to a release of the ledger at any time. */
function backTo(state: CompanionState, to: string | null): UndoAnswer | null {
  const record = lastRecord(state);
  if (record === null || (to === null && state.undo === null)) return null;
  const version = to ?? record.version;
  const entries = state.releases.filter((each) => each.version === version);
  return { record, entry: entries.find(({ spec }) => spec !== null) ?? entries[0] ?? null };
}

/** Nothing may start behind an undo unless it was told to allow that. A terminated run never reports its end. */
async function refuseBeside(state: CompanionState): Promise<void> {
  const { app, environment } = state;
  for (;;) {
    const { undoing } = state;
    if (undoing === null || undoing.keepQueue) return;
    if (await core.isRunning({ app, environment })) break;
    if (state.undoing === undoing) state.undoing = null;
  }
  const id = rolloutId(app, environment);
  throw ApplicationFailure.nonRetryable(
    `an undo of ${id} is running, and nothing can queue behind it. Start again after it, or undo with --keep-queue`,
    'SLUICE_ALREADY_RUNNING',
  );
}

/** The window is over: `undo` alone no longer works, and old releases may be deleted. */
function endWindow(state: CompanionState): void {
  if (state.undo === null || Date.now() < state.undo.until) return;
  const { until: _until, ...record } = state.undo;
  state.retire = record;
  state.undo = null;
}

/**
 * Not while a rollout runs: it may need a release without an alias, such as the candidate before its weight, or stable in the
 * last bake.
 */
async function retire(state: CompanionState): Promise<void> {
  const { app, environment, retire: record } = state;
  if (record === null) return;
  const { version, since = 0, seal = null } = record;
  const spec = record.spec as unknown as Spec;
  try {
    if (await core.isRunning({ app, environment })) return;
    const calls = forward(spec, 3_600_000, 'retire old releases');
    const { deleted } = await calls.retire({ spec, keep: [], version, since, seal });
    log.info('retired', { deleted });
    for (const entry of state.releases) if (deleted.includes(entry.version)) entry.retired ??= Date.now();
  } catch (error) {
    log.warn('old releases could not be retired', { why: failureOf(error).message });
  }
  if (state.retire !== record) return;
  state.retire = null;
  if (state.undo === null) state.base = record;
}
