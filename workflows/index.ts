/** The workflow types. Every function exported here becomes one, so nothing else is exported. */
import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';
import type { Help } from '../src/model/helper.js';
import { movingId, rolloutId } from '../src/model/ids.js';
import type { Moved, Moving } from '../src/model/moving.js';
import type { RolloutInput, Spec } from '../src/model/spec.js';
import type { RolloutView } from '../src/model/view.js';
import type { BeforeState, Finding } from '../src/platforms/port.js';
import { core } from './calls.js';
import { companion as companionOf } from './companion/companion.js';
import type { CompanionState } from './companion/state.js';
import { help } from './helper.js';
import { inAccount } from './in-account.js';
import { rollout } from './rollout/rollout.js';
import type { RolloutState } from './rollout/state.js';

/** All users at once, with probes before it, a bake after it, and a rollback. */
export async function direct(input: RolloutInput, carried?: RolloutState): Promise<RolloutView> {
  return rollout('direct', input, carried);
}

/** Two environments: the release is tested in the idle one, then all traffic is switched. */
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

/** Rolls back to the release that the last rollout replaced, while the rollback window lasts. */
export async function undo(input: RolloutInput, carried?: RolloutState): Promise<RolloutView> {
  return rollout('undo', input ?? {}, carried);
}

/** The companion of a target. */
export async function companion(app: string, environment: string, carried?: CompanionState): Promise<void> {
  return companionOf(app, environment, carried);
}

/**
 * A question that needs a worker, or the mark that a signed start was used; `what` says which. They share one type, so that
 * one filter hides them from a list. Without arguments it returns what a client must know about the workers.
 */
export async function helper(what: Help = 'workerIdentity', args?: unknown): Promise<unknown> {
  return help(what, args);
}

/** Takes an existing target into Sluice's care: reads it and leaves the mark. */
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

/**
 * Moves callers as shown. While it runs, its id keeps rollouts of the target from starting, and it does not start beside one:
 * each checks for the other after it has become visible itself.
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
      `callers are moved only by workflow ${movingId(app, environment)}`,
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
        'the callers have changed since they were shown. Nothing was moved; run the command again',
        'SLUICE_TARGET',
      );
    }
    return calls.moveCallers({ spec, how, steps, run, grant });
  });
}
