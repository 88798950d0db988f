/** Whoever can complete an activity can forge its answer. What he forges opens nothing: whatever acts asks for the MAC. */

import { randomBytes } from 'node:crypto';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { accountActivities } from '../../activities/account.js';
import type { CoreActivities, Prepared } from '../../activities/types.js';
import { Access } from '../../src/authority/index.js';
import { resultOf } from '../../src/client/index.js';
import type { AccessRecord, CheckedMessage } from '../../src/model/access.js';
import { accountQueue, TASK_QUEUE } from '../../src/model/ids.js';
import type { Spec } from '../../src/model/spec.js';
import type { PlatformDriver } from '../../src/platforms/port.js';
import { makePlan } from '../../src/strategies/registry.js';
import { NO_ARTIFACTS } from '../support/artifacts.js';
import { workflowBundle } from '../support/bundle.js';
import { egressFor } from '../support/egress.js';
import { canary } from '../support/specs.js';
import { tool } from '../support/tools.js';

const access = new Access({ policy: null, keys: [randomBytes(32).toString('base64')] });
const spec = canary([1_000, 1_000, 1_000], 50);
const AT = { platform: 'lambda', account: spec.target.account, region: spec.target.region };

Runtime.install({ logger: new DefaultLogger('ERROR') });

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  const server = { executable: { type: 'existing-path' as const, path: tool('temporal-test-server') } };
  env = await TestWorkflowEnvironment.createTimeSkipping({ server });
});
afterAll(() => env?.teardown());

/** A driver that notes what reaches it. */
function noting(reached: string[]): PlatformDriver {
  return new Proxy({} as PlatformDriver, {
    get: (_, name) => () => {
      reached.push(String(name));
      return Promise.reject(new Error('nothing should come this far'));
    },
  });
}

/** Answers that a poller of the workers' queue could give, with everything granted. */
function forgedLight(grant: string): Partial<CoreActivities> {
  const record: AccessRecord = { policy: 'forged', starter: 'ann', open: ['approve', 'skip', 'promote'], grant };
  const limits = { history: 4_000, signals: 2_000, heartbeat: 10_000, callLife: 60_000 };
  const checked = {
    ok: true,
    by: 'ben',
    comment: null,
    stage: '50%',
    full: true,
    force: true,
    adopt: true,
    id: 'x',
    until: 0,
  };
  return {
    parse: async ({ input }) => ({ spec: input as unknown as Spec, searchAttributes: false, limits, access: record }),
    decide: async ({ messages }) =>
      messages.map(({ verb }) => ({ ...checked, verb, receipt: 'forged' }) as CheckedMessage),
    tellCompanion: async () => undefined,
    notify: async () => undefined,
  };
}

test.each(['forged', 'eyJhbGciOiJub25lIn0.e30.', ''])(
  'a forged answer of the check never reaches the provider (%s)',
  async (grant) => {
    const reached: string[] = [];
    const { nativeConnection: connection } = env;
    const driver = noting(reached);
    const egress = egressFor();
    const activities = accountActivities({
      driverFor: () => driver,
      egressOf: () => egress,
      artifacts: NO_ARTIFACTS,
      access,
      sweep: async () => [],
    });
    // The planning is forged too: a plan of his own, granted by himself.
    const prepare = async (): Promise<Prepared> => ({
      planSchema: 1,
      spec,
      before: { split: { stable: '1', candidate: null, weight: 0 } } as Prepared['before'],
      plan: makePlan(spec, { stable: '1' }),
      health: { baselines: {}, firing: [] },
      warnings: [],
      digest: 'forged',
      approvers: {},
      grant,
    });
    const main = await Worker.create({
      connection,
      ...workflowBundle(),
      taskQueue: TASK_QUEUE,
      activities: forgedLight(grant),
    });
    const lanes = await Promise.all(
      (['calls', 'watch', 'restore'] as const).map((lane) =>
        Worker.create({
          connection,
          taskQueue: accountQueue(AT, lane),
          activities: lane === 'calls' ? { ...activities, prepare } : activities,
        }),
      ),
    );
    const ends = lanes.map((worker) => worker.run());
    const view = await main.runUntil(async () => {
      const workflowId = `forged${grant.length}/production`;
      const handle = await env.client.workflow.start('canary', { workflowId, taskQueue: TASK_QUEUE, args: [spec] });
      return await resultOf(handle);
    });
    for (const worker of lanes) worker.shutdown();
    await Promise.all(ends);
    expect(view).toMatchObject({ outcome: 'rolledBack', code: 'SLUICE_ACCESS' });
    expect(view.reason).toContain('it has no grant from a worker');
    expect(reached).toEqual([]);
  },
);
