/** Asking a worker: a short workflow, run to its end. */
import { randomUUID } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { SluiceError } from '../model/errors.js';
import { HELPER, type Help } from '../model/helper.js';
import { TASK_QUEUE } from '../model/ids.js';
import type { Link } from './connect.js';
import { isLate, isNoAnswer, noAnswer, toSluiceError } from './errors.js';

/** Longest a short workflow may take, in ms. */
const SHORT = 150_000;
/** Longest wait for a worker to take it, in ms; after it a worker is looked for. */
const TAKEN_WITHIN = 10_000;

/** A helper's answer to `what`. Errors: as `short`. */
export function asked<T>(link: Link, what: Help, summary: string, ...args: unknown[]): Promise<T> {
  // A client asks for the workers' keys before it sends anything that they could not decrypt, so this question has no arguments.
  const sent = what === 'workerIdentity' ? [] : [what, ...args];
  return short(link, HELPER, summary, sent, `${what}-${randomUUID()}`);
}

/** Its answer. Errors: those of `noAnswer`, and what the workflow has failed with. */
export async function short<T>(
  link: Link,
  type: string,
  summary: string,
  args: unknown[],
  workflowId = `${type}-${randomUUID()}`,
): Promise<T> {
  const handle = await link.temporal.workflow
    .start(type, {
      workflowId,
      workflowIdConflictPolicy: 'FAIL',
      taskQueue: TASK_QUEUE,
      args,
      workflowExecutionTimeout: SHORT,
      staticSummary: summary,
    })
    .catch((error: unknown) => {
      if (error instanceof WorkflowExecutionAlreadyStartedError) {
        throw new SluiceError('SLUICE_ALREADY_RUNNING', `${workflowId} is already running; wait until it ends`);
      }
      throw toSluiceError(error, link.address);
    });
  const waited = new AbortController();
  const nobody = takenBy(link, handle.workflowId, waited.signal);
  try {
    const answered = link.temporal.withDeadline(Date.now() + SHORT, () => handle.result() as unknown as Promise<T>);
    return await Promise.race([answered, nobody]);
  } catch (error) {
    if (error instanceof SluiceError && isNoAnswer(error)) {
      await handle.terminate('no worker took it').catch(() => undefined);
    }
    if (isLate(error)) throw await noAnswer(link, `${type} did not end within ${SHORT / 1000} s`);
    throw toSluiceError(error, link.address);
  } finally {
    waited.abort();
  }
}

/** Rejects when no worker has taken the workflow in time; else stays open. */
function takenBy(link: Link, workflowId: string, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setTimeout(() => {
      void link.temporal.workflow
        .getHandle(workflowId)
        .describe()
        .then(async ({ historyLength }) => {
          // Started and scheduled are two events; the third is a worker's.
          if (!signal.aborted && historyLength <= 2) reject(await noAnswer(link, 'no worker took the request'));
        })
        .catch(() => undefined);
    }, TAKEN_WITHIN);
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  });
}
