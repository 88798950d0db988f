/** Short workflows for what needs cloud credentials: the client has none, the worker does. */
import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { SweepFinding } from '../../activities/platform/platform.js';
import { SluiceError } from '../model/errors.js';
import type { Account } from '../model/ids.js';
import { rolloutId, TASK_QUEUE } from '../model/ids.js';
import type { RolloutInput } from '../model/spec.js';
import type { RolloutType } from '../model/words.js';
import type { Link } from './connect.js';
import { isLate, noWorker, toSluiceError } from './errors.js';
import { startProof } from './proof.js';
import type { Adopted, PlanPreview, TargetName } from './types.js';

/** Longest a short workflow may take, in ms. */
const SHORT = 150_000;
/** Longest wait for a worker to take it, in ms; after it a worker is looked for. */
const TAKEN_WITHIN = 10_000;

async function short<T>(link: Link, type: string, summary: string, args: unknown[]): Promise<T> {
  const handle = await link.temporal.workflow
    .start(type, {
      workflowId: `${type}-${randomUUID()}`,
      taskQueue: TASK_QUEUE,
      args,
      workflowExecutionTimeout: SHORT,
      staticSummary: summary,
    })
    .catch((error: unknown) => {
      throw toSluiceError(error, link.address);
    });
  const waited = new AbortController();
  const nobody = takenBy(link, handle.workflowId, waited.signal);
  try {
    const answered = link.temporal.withDeadline(Date.now() + SHORT, () => handle.result() as unknown as Promise<T>);
    return await Promise.race([answered, nobody]);
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'SLUICE_NO_WORKER') {
      await handle.terminate('no worker took it').catch(() => undefined);
    }
    throw isLate(error) ? noWorker(`${type} did not end within ${SHORT / 1000} s`) : toSluiceError(error, link.address);
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
        .then(({ historyLength }) => {
          // Started and scheduled are two events; the third is a worker's.
          if (!signal.aborted && historyLength <= 2) reject(noWorker('nobody took the request'));
        })
        .catch(() => undefined);
    }, TAKEN_WITHIN);
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  });
}

/** See `Sluice.plan`. */
export async function plan(
  link: Link,
  request: { input: RolloutInput; type: RolloutType } & TargetName,
): Promise<PlanPreview> {
  const { app, environment, type } = request;
  const input = await withProof(link, 'plan', type, request);
  return short(link, 'planOnly', `plan ${app}/${environment} ${request.type}`, [{ ...request, input }]);
}

/** The workflow's argument with the proof of who asks. */
async function withProof(
  link: Link,
  act: 'plan' | 'adopt',
  strategy: RolloutType,
  { input, app, environment }: { input: RolloutInput } & TargetName,
): Promise<RolloutInput> {
  const token = await startProof(link, { act, app, environment, strategy, release: null, input });
  return token === null ? input : { ...input, token };
}

/** See `Sluice.sweep`. A split is no leftover while the very run that left its mark goes on. */
export async function sweep(link: Link, account: Account): Promise<SweepFinding[]> {
  const split = await short<SweepFinding[]>(link, 'sweepAccount', `sweep ${account.account} ${account.region}`, [
    account,
  ]);
  const gone = await Promise.all(split.map(async (each) => !(await isRunning(link, each))));
  return split.filter((_, at) => gone[at]);
}

async function isRunning(link: Link, { app, environment, run }: SweepFinding): Promise<boolean> {
  try {
    const seen = await link.temporal.workflow.getHandle(rolloutId(app, environment)).describe();
    return seen.status.name === 'RUNNING' && seen.raw.workflowExecutionInfo?.firstRunId === run;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw toSluiceError(error, link.address);
  }
}

/** See `Sluice.adopt`. */
export async function adopt(link: Link, request: { input: RolloutInput } & TargetName): Promise<Adopted> {
  const input = await withProof(link, 'adopt', 'direct', request);
  return short(link, 'adoptTarget', `adopt ${request.app}/${request.environment}`, [{ ...request, input }]);
}
