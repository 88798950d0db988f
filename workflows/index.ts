/** The workflow types. Every exported function here becomes one, so nothing else is exported. */
import { ApplicationFailure, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { AccountActivities, PlanAnswer } from '../activities/types.js';
import type { WorkerIdentity } from '../src/model/access.js';
import { isUntaken } from '../src/model/failures.js';
import type { Account } from '../src/model/ids.js';
import { accountQueue, movingId, rolloutId } from '../src/model/ids.js';
import type { Moved, MovePlan, Moving } from '../src/model/moving.js';
import type { RolloutInput, Spec } from '../src/model/spec.js';
import type { RolloutView } from '../src/model/view.js';
import type { RolloutType } from '../src/model/words.js';
import type { BeforeState, Finding, SweepFinding } from '../src/platforms/port.js';
import { core, whyUntaken } from './calls.js';
import { rollout } from './rollout/rollout.js';
import type { RolloutState } from './rollout/state.js';
import type { TargetState } from './target/state.js';
import { target } from './target/target.js';

/** Everybody at once, with a probe before, a bake after and a way back. */
export async function direct(input: RolloutInput, carried?: RolloutState): Promise<RolloutView> {
  return rollout('direct', input, carried);
}

/** Two environments: tested in the idle one, then all traffic is switched. */
export async function blueGreen(input: RolloutInput, carried?: RolloutState): Promise<RolloutView> {
  return rollout('blueGreen', input, carried);
}

/** Stages of rising weight. */
export async function canary(input: RolloutInput, carried?: RolloutState): Promise<RolloutView> {
  return rollout('canary', input, carried);
}

/** Equal steps at equal intervals. */
export async function linear(input: RolloutInput, carried?: RolloutState): Promise<RolloutView> {
  return rollout('linear', input, carried);
}

/** Back to the release that the last rollout replaced, while the rollback window lasts. */
export async function undo(input: RolloutInput, carried?: RolloutState): Promise<RolloutView> {
  return rollout('undo', input ?? {}, carried);
}

/** The companion of a target. */
export async function targetCompanion(app: string, environment: string, carried?: TargetState): Promise<void> {
  return target(app, environment, carried);
}

/** What a rollout would do, without doing it. */
export async function planOnly(args: {
  input: RolloutInput;
  app: string;
  environment: string;
  type: RolloutType;
}): Promise<PlanAnswer> {
  const { spec, access } = await core.parse(args);
  return inAccount({ ...spec.target }, (calls) => calls.inspect({ spec, grant: access.grant }));
}

/** Targets of an account that a terminated rollout left split. */
export async function sweepAccount(args: {
  platform: string;
  account: string;
  region: string;
}): Promise<SweepFinding[]> {
  return inAccount(args, (calls) => calls.sweep({ account: args.account, region: args.region }));
}

/** Takes a target as it is under Sluice's care: reads it and leaves the mark. */
export async function adoptTarget(args: {
  input: RolloutInput;
  app: string;
  environment: string;
}): Promise<{ spec: Spec; before: BeforeState; findings: Finding[] }> {
  const { spec, access } = await core.parse({ ...args, type: 'direct' });
  const { runId: run } = workflowInfo();
  const claimed = await inAccount({ ...spec.target }, (calls) => calls.claim({ spec, run, grant: access.grant }));
  return { spec, ...claimed };
}

/** How the callers of a function's bare name come to the target's alias, or back: what `moveCallers` would do. */
export async function lookCallers(args: {
  input: RolloutInput;
  app: string;
  environment: string;
  how: Moving;
}): Promise<MovePlan> {
  const { how, ...of } = args;
  const { spec, access } = await core.parse({ ...of, type: 'direct' });
  return inAccount({ ...spec.target }, (calls) => calls.callers({ spec, how, grant: access.grant }));
}

/**
 * Moves callers as it was shown. Its id keeps rollouts of the target from beginning while it runs, and it does not begin beside one:
 * each looks for the other after it is there to be seen.
 */
export async function moveCallers(args: {
  input: RolloutInput;
  app: string;
  environment: string;
  how: Moving;
  shown: string;
}): Promise<Moved> {
  const { how, shown, ...of } = args;
  const { app, environment } = of;
  const { workflowId, runId: run } = workflowInfo();
  if (workflowId !== movingId(app, environment)) {
    throw ApplicationFailure.nonRetryable(
      `callers are moved by workflow ${movingId(app, environment)} alone`,
      'SLUICE_WORKFLOW_ID',
    );
  }
  const { spec, access } = await core.parse({ ...of, type: 'direct', shown });
  const { grant } = access;
  if (await core.isRunning({ app, environment })) {
    throw ApplicationFailure.nonRetryable(
      `a rollout of ${rolloutId(app, environment)} is running; move its callers before it or after it`,
      'SLUICE_ALREADY_RUNNING',
    );
  }
  return inAccount({ ...spec.target }, async (calls) => {
    const { steps, digest } = await calls.callers({ spec, how, grant });
    if (digest !== shown) {
      throw ApplicationFailure.nonRetryable(
        'what there is to move has changed since it was shown. Nothing was moved; look again',
        'SLUICE_TARGET',
      );
    }
    return calls.moveCallers({ spec, how, steps, run, grant });
  });
}

/** How a login is asked for, and to which key of the workers it is encrypted. */
export async function workerIdentity(): Promise<WorkerIdentity> {
  return core.identity();
}

/** Stands for a signed start that was used: the server takes its id once, so that it begins nothing twice. */
export async function usedProof(): Promise<void> {}

/** How long a short workflow waits for a worker of the account, in ms. */
const TAKEN_WITHIN = 30_000;

type Calls = Pick<AccountActivities, 'inspect' | 'sweep' | 'claim' | 'callers' | 'moveCallers'>;

/** A call on the account's queue, for a short workflow. Where nobody takes it, the failure says why. */
async function inAccount<T>(of: Account, call: (calls: Calls) => Promise<T>): Promise<T> {
  if (workflowInfo().workflowId.split('/').length === 2) {
    throw ApplicationFailure.nonRetryable('a short workflow must not take the id of a target', 'SLUICE_WORKFLOW_ID');
  }
  const calls = proxyActivities<Calls>({
    taskQueue: accountQueue(of, 'calls'),
    scheduleToStartTimeout: TAKEN_WITHIN,
    scheduleToCloseTimeout: '2m',
    startToCloseTimeout: '2m',
    heartbeatTimeout: '10s',
    retry: { initialInterval: '500ms', maximumInterval: '10s' },
  });
  try {
    return await call(calls);
  } catch (error) {
    if (!isUntaken(error)) throw error;
    const { code, message } = await whyUntaken(of, TAKEN_WITHIN);
    throw ApplicationFailure.nonRetryable(message, code);
  }
}
