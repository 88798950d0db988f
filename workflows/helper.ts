/** The jobs of the workflow type `helper`: questions that need a worker, and the mark that a signed start was used. */
import { ApplicationFailure } from '@temporalio/workflow';
import type { PlanAnswer } from '../activities/types.js';
import type { WorkerIdentity } from '../src/model/access.js';
import { HELPS, type Help } from '../src/model/helper.js';
import type { MovePlan, Moving } from '../src/model/moving.js';
import type { RolloutInput } from '../src/model/spec.js';
import { clean } from '../src/model/text.js';
import type { RolloutType } from '../src/model/words.js';
import type { SweepFinding } from '../src/platforms/port.js';
import { core } from './calls.js';
import { inAccount } from './in-account.js';

interface Asked {
  input: RolloutInput;
  app: string;
  environment: string;
}

/** Errors: SLUICE_SETUP for a job that this worker does not know; otherwise those of the activities. */
export function help(what: Help, args: unknown): Promise<unknown> {
  switch (what) {
    case 'planOnly':
      return planOnly(args as Asked & { type: RolloutType });
    case 'sweepAccount':
      return sweepAccount(args as { platform: string; account: string; region: string });
    case 'lookCallers':
      return lookCallers(args as Asked & { how: Moving });
    case 'workerIdentity':
      return workerIdentity();
    case 'usedSignature':
      return Promise.resolve();
    default:
      throw ApplicationFailure.nonRetryable(
        `this worker has no helper "${clean(what, 40)}", only ${HELPS.join(', ')}; is the client newer than the worker?`,
        'SLUICE_SETUP',
      );
  }
}

/** What a rollout would do, without doing it. */
async function planOnly(args: Asked & { type: RolloutType }): Promise<PlanAnswer> {
  const { spec, access } = await core.parse(args);
  return inAccount({ ...spec.target }, (calls) => calls.inspect({ spec, grant: access.grant }));
}

/** Targets of an account that a terminated rollout left with split traffic. */
function sweepAccount(args: { platform: string; account: string; region: string }): Promise<SweepFinding[]> {
  return inAccount(args, (calls) => calls.sweep({ account: args.account, region: args.region }));
}

/** How the callers of a function's bare name can move to the target's alias, or back: what `moveCallers` would do. */
async function lookCallers({ how, ...of }: Asked & { how: Moving }): Promise<MovePlan> {
  const { spec, access } = await core.parse({ ...of, type: 'direct' });
  return inAccount({ ...spec.target }, (calls) => calls.callers({ spec, how, grant: access.grant }));
}

/** How to log in, and which key of the workers to encrypt the login for. */
function workerIdentity(): Promise<WorkerIdentity> {
  return core.identity();
}
