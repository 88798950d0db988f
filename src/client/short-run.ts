/** Asking a worker: a short workflow, run to its end. */
import { randomUUID } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { TimeoutFailure } from '@temporalio/common';
import { SluiceError } from '../model/errors.js';
import { TASK_QUEUE } from '../model/ids.js';
import type { Link } from './connect.js';
import { isLate, noAnswer, toSluiceError } from './errors.js';

/** Longest a short workflow may take that changes nothing, in ms. */
const SHORT = 150_000;
/** Longest wait for a worker to take it, in ms; after it a worker is looked for. */
const TAKEN_WITHIN = 10_000;
/** Longest wait for the server's answer whether one has, in ms. */
const ANSWER_WITHIN = 5_000;

export interface ShortRun {
  type: string;
  summary: string;
  args: unknown[];
  /** One of its own unless given. */
  workflowId?: string;
  /** What it changes. Without it nothing is lost when it ends too early. */
  changes?: {
    /** Longest that it may take, in ms: more than its own calls may, so that it does not end in the middle of one. */
    within: number;
    /** What may be so where nobody knows how it ended, and what to do. */
    maybe: string;
  };
}

/** Its answer. Errors: those of `noAnswer`, and what the workflow has failed with. */
export async function short<T>(link: Link, run: ShortRun): Promise<T> {
  const { type, summary, args, workflowId = `${type}-${randomUUID()}`, changes } = run;
  const within = changes?.within ?? SHORT;
  const handle = await link.temporal.workflow
    .start(type, {
      workflowId,
      workflowIdConflictPolicy: 'FAIL',
      taskQueue: TASK_QUEUE,
      args,
      workflowExecutionTimeout: within,
      staticSummary: summary,
    })
    .catch((error: unknown) => {
      if (error instanceof WorkflowExecutionAlreadyStartedError) {
        throw new SluiceError('SLUICE_ALREADY_RUNNING', `${workflowId} is running already; wait for its end`);
      }
      throw toSluiceError(error, link.address);
    });
  const waited = new AbortController();
  const nobody = takenBy(link, handle, waited.signal);
  try {
    const answered = link.temporal.withDeadline(Date.now() + within, () => handle.result() as unknown as Promise<T>);
    return await Promise.race([answered, nobody]);
  } catch (error) {
    if (error instanceof Untaken) {
      await handle.terminate('no worker took it').catch(() => undefined);
      throw error.why;
    }
    if (!isLate(error) && !isTimedOut(error)) throw toSluiceError(error, link.address);
    const then = changes === undefined ? '' : `, and ${changes.maybe}`;
    throw await noAnswer(link, `${type} did not end within ${within / 1000} s${then}`);
  } finally {
    waited.abort();
  }
}

/** No worker has taken the workflow. */
class Untaken extends Error {
  constructor(readonly why: SluiceError) {
    super(why.message);
  }
}

/** Rejects with `Untaken` when no worker has taken the workflow in time; else stays open. */
function takenBy(link: Link, handle: WorkflowHandle, signal: AbortSignal): Promise<never> {
  const isTaken = async () => {
    const { historyLength } = await link.temporal.withDeadline(Date.now() + ANSWER_WITHIN, () => handle.describe());
    // Started and scheduled are two events; the third is a worker's.
    return historyLength > 2;
  };
  const look = async (): Promise<SluiceError | null> => {
    if (await isTaken()) return null;
    const error = await noAnswer(link, 'nobody took the request');
    // Meanwhile a worker may have begun with it, and must not lose it in the middle.
    if (signal.aborted || (await isTaken())) return null;
    return error;
  };
  return new Promise((_, reject) => {
    const timer = setTimeout(() => {
      void look().then(
        (why) => why !== null && reject(new Untaken(why)),
        () => undefined,
      );
    }, TAKEN_WITHIN);
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  });
}

/** Whether the server has ended the workflow because its time was over. */
function isTimedOut(error: unknown): boolean {
  return error instanceof WorkflowFailedError && error.cause instanceof TimeoutFailure;
}
