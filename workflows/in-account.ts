/** Calls on an account's queue for workflows that are not rollouts. */
import { ApplicationFailure, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { AccountActivities } from '../activities/types.js';
import type { Account } from '../src/model/ids.js';
import { accountQueue } from '../src/model/ids.js';
import { isUntaken } from '../src/model/rollout/failure.js';
import { whyUntaken } from './calls.js';

/** How long such a call waits for a worker of the account, in ms. */
const TAKEN_WITHIN = 30_000;

type Calls = Pick<AccountActivities, 'inspect' | 'sweep' | 'claim' | 'callers' | 'moveCallers'>;

/** If no worker takes the call, the failure says why. */
export async function inAccount<T>(of: Account, call: (calls: Calls) => Promise<T>): Promise<T> {
  if (workflowInfo().workflowId.split('/').length === 2) {
    throw ApplicationFailure.nonRetryable('a helper workflow must not use the id of a target', 'SLUICE_WORKFLOW_ID');
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
