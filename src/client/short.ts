/** Short workflows for what needs cloud credentials: the client has none, the worker does. */
import { WorkflowNotFoundError } from '@temporalio/client';
import type { SweepFinding } from '../../activities/platform/platform.js';
import type { Account } from '../model/ids.js';
import { rolloutId } from '../model/ids.js';
import type { RolloutInput } from '../model/spec.js';
import type { RolloutType } from '../model/words.js';
import type { Link } from './connect.js';
import { toSluiceError } from './errors.js';
import { packed } from './packing.js';
import { startProof } from './proof.js';
import { short } from './short-run.js';
import type { Adopted, PlanPreview, TargetName } from './types.js';

/** See `Sluice.plan`. */
export async function plan(
  link: Link,
  request: { input: RolloutInput; type: RolloutType } & TargetName,
): Promise<PlanPreview> {
  const { app, environment, type } = request;
  const whole = await packed(link.artifacts, request);
  const input = await withProof(link, 'plan', type, { ...request, input: whole });
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
