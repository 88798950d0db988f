/** The companion's queue: one release deep, the newest wins, and each starter can find out what happened to theirs. */
import { condition, currentUpdateInfo, log, uuid4 } from '@temporalio/workflow';
import { isJson, LARGEST_SPEC } from '../../src/model/json.js';
import { failureOf } from '../../src/model/rollout/failure.js';
import { clean } from '../../src/model/text.js';
import type { QueuedView, SettledView } from '../../src/model/view.js';
import { isRolloutType } from '../../src/model/words.js';
import { core } from '../calls.js';
import type { Submission, SubmitAnswer } from '../messages.js';

/** Settled releases that are kept. */
const SETTLED = 20;
/** How long a release may wait in the queue, in ms. */
const QUEUED_AT_MOST = 7 * 86_400_000;

export interface Queued extends Submission {
  ticket: string;
  since: number;
  /** The run that blocked the last attempt; null before the first attempt. */
  behind: string | null;
  /** Why it will not start after all, although it was being started. */
  left?: string;
  tookPlaceOf: QueuedView | null;
}

/** The part of the companion's state that the queue uses. */
export interface QueueState {
  app: string;
  environment: string;
  queued: Queued | null;
  /** The release being started right now. It may already run, so a newer one waits until that is known. */
  starting: Queued | null;
  settled: SettledView[];
}

/** The known fields of a submission; null if it is malformed. */
export function submissionOf(given: unknown): Submission | null {
  if (!isJson(given, 2 * LARGEST_SPEC)) return null;
  const { type, input, mode, by = null, message = null } = given;
  if (!isRolloutType(type) || !isJson(input, LARGEST_SPEC) || (mode !== 'queue' && mode !== 'replace')) return null;
  if (![by, message].every((text) => text === null || typeof text === 'string')) return null;
  return {
    ...{ type, input, mode },
    by: by === null ? null : clean(by, 100),
    message: message === null ? null : clean(message, 1_000),
  };
}

/**
 * Accepts a release. Answers once it has started, waits behind another, or has lost its place. `mustBeOpen` throws if the
 * target accepts none. It is called last before the release enters the queue, since the target may have been closed
 * meanwhile.
 */
export async function submit(
  state: QueueState,
  submission: Submission,
  mustBeOpen: () => Promise<void>,
  wake: () => void,
): Promise<SubmitAnswer> {
  const ticket = currentUpdateInfo()?.id ?? uuid4();
  const { type, input, mode } = submission;
  const admitted = await core.admit({ app: state.app, environment: state.environment, type, input, mode });
  await mustBeOpen();
  // The signer, whatever name comes with the signature.
  const by = admitted?.by ?? submission.by;
  const mine: Queued = { ...submission, by, ticket, since: Date.now(), behind: null, tookPlaceOf: null };
  if (state.queued !== null) takePlace(state, state.queued, mine);
  state.queued = mine;
  wake();
  const waits = () => state.queued === mine || state.starting === mine;
  await condition(() => !waits() || mine.behind !== null);
  const { tookPlaceOf } = mine;
  if (waits())
    return { state: mine.mode === 'queue' ? 'queued' : 'replacing', run: null, why: null, ticket, tookPlaceOf };
  const { run, why } = state.settled.find((each) => each.ticket === ticket) ?? { run: null, why: null };
  return { state: run === null ? 'superseded' : 'started', run, why, ticket, tookPlaceOf };
}

/** A release that waits, or is being started while another rollout runs, will not start. */
export function leaveQueue(state: QueueState, why: string): void {
  const { queued, starting } = state;
  if (starting !== null) starting.left = why;
  if (queued === null) return;
  state.queued = null;
  settle(state, queued, null, why);
}

/** Tries to start the queued release. With `replace`, tells each run that blocks it to go, once. */
export async function startQueued(state: QueueState & { hold: object | null }): Promise<void> {
  const { app, environment, queued } = state;
  if (queued === null || state.hold !== null) return;
  if (Date.now() - queued.since > QUEUED_AT_MOST) {
    state.queued = null;
    settle(state, queued, null, 'the target was not free for a week');
    return;
  }
  state.starting = queued;
  state.queued = null;
  const run = await tryToStart(app, environment, queued);
  state.starting = null;
  if (run !== null) settle(state, queued, run, null);
  else if (queued.left !== undefined) settle(state, queued, null, queued.left);
  else if (state.queued === null) state.queued = queued;
  else takePlace(state, queued, state.queued);
}

/** The run that started; null while another blocks it. */
async function tryToStart(app: string, environment: string, queued: Queued): Promise<string | null> {
  const { type, input, ticket, by, mode } = queued;
  try {
    const answer = await core.startRollout({ app, environment, type, input, ticket });
    if ('started' in answer) return answer.started;
    if (mode === 'replace' && queued.behind !== answer.busy) {
      await core.supersede({ app, environment, run: answer.busy, by, type, input });
    }
    queued.behind = answer.busy;
  } catch (error) {
    log.warn('the queued release could not be started', { why: failureOf(error).message });
  }
  return null;
}

function takePlace(state: QueueState, older: Queued, newer: Queued): void {
  newer.tookPlaceOf = queuedView(older);
  settle(state, older, null, `a newer release by ${clean(newer.by ?? 'someone', 60)} took its place in the queue`);
}

function settle(state: QueueState, queued: Queued, run: string | null, why: string | null): void {
  state.settled = [{ ...queuedView(queued), at: Date.now(), run, why }, ...state.settled].slice(0, SETTLED);
}

export function queuedView({ by, since, type, message, ticket }: Queued): QueuedView {
  return { by, since, strategy: type, message, ticket };
}
