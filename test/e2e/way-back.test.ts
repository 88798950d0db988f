/** The ways back that need more than one rollout: `undo` by the companion's ledger, and what `sweep` finds after a terminate. */
import path from 'node:path';
import { connect, type Sluice } from '../../src/client/index.js';
import { type Stack, startStack } from '../../src/demo/stack.js';
import type { RolloutView } from '../../src/model/view.js';
import { ROOT } from '../support/tools.js';
import { until } from '../support/until.js';

const ACCOUNT = { platform: 'lambda', account: 'default', region: 'us-east-1' };
const TARGET = { app: 'checkout', environment: 'production' };

let stack: Stack;
let sluice: Sluice;

beforeAll(async () => {
  stack = await startStack(path.join(ROOT, '.sluice', 'e2e', `back-${process.pid}`));
  sluice = await connect({ env: { TEMPORAL_ADDRESS: stack.temporal.address } });
}, 60_000);

afterAll(async () => {
  await sluice?.close();
  await stack?.stop();
});

async function release(version: string, by: string, strategy: unknown) {
  return stack.client.workflow.start((strategy as { type: string }).type, {
    workflowId: 'checkout/production',
    taskQueue: 'sluice',
    args: [
      {
        ...TARGET,
        target: { function: 'checkout', alias: 'live', region: 'us-east-1' },
        release: { folder: path.join(ROOT, 'examples', 'checkout', version) },
        configuration: {
          runtime: 'nodejs20.x',
          handler: 'index.handler',
          role: 'arn:aws:iam::000000000000:role/checkout',
        },
        strategy,
        health: {
          policy: { minRequests: 3 },
          probes: [{ name: 'smoke', invoke: { payload: { user: 'user-1' } }, expect: { status: 200 }, every: '100ms' }],
        },
        startedBy: by,
      },
    ],
  });
}

async function ledger() {
  return (await sluice.releases('checkout')).find((each) => each.environment === 'production');
}

const DIRECT = { type: 'direct', bake: '1s' };

test('undo goes back to the replaced release, and the ledger says who did which', async () => {
  await (await release('v1', 'ann', DIRECT)).result();
  await (await release('v2', 'ann', DIRECT)).result();
  const offered = await until('the offer of an undo', async () => (await ledger())?.undo ?? null);
  expect(offered.version).toBe('1');

  const undo = await stack.client.workflow.start('undo', {
    workflowId: 'checkout/production',
    taskQueue: 'sluice',
    args: [{ startedBy: 'ben' }],
  });
  expect(await undo.result()).toMatchObject({ outcome: 'succeeded', candidate: '1', startedBy: 'ben' });
  const { releases } = await until('the ledger', async () => {
    const now = await ledger();
    return now?.releases.length === 3 ? now : null;
  });
  expect(releases.map(({ version, by, strategy }) => ({ version, by, strategy }))).toEqual([
    { version: '1', by: 'ben', strategy: 'undo' },
    { version: '2', by: 'ann', strategy: 'direct' },
    { version: '1', by: 'ann', strategy: 'direct' },
  ]);
}, 90_000);

test('an undo that nobody names is not laid to the one who started what it takes back', async () => {
  await (await release('v3', 'ann', DIRECT)).result();
  await until('the offer of an undo', async () => (await ledger())?.undo ?? null);
  const undo = await stack.client.workflow.start('undo', {
    workflowId: 'checkout/production',
    taskQueue: 'sluice',
    args: [{}],
  });
  expect(await undo.result()).toMatchObject({ outcome: 'succeeded', startedBy: null });
}, 90_000);

test('sweep leaves a running rollout alone, and finds the split of a terminated one', async () => {
  const rolling = await release('v3', 'ann', {
    type: 'canary',
    stages: [
      { weight: '10%', bake: '1h' },
      { weight: '100%', bake: '1s' },
    ],
  });
  await until('the bake', async () => (await rolling.query<RolloutView>('status')).phase === 'baking', 30_000);
  expect(await sluice.sweep(ACCOUNT)).toEqual([]);
  await rolling.terminate('a hand that does not know better');
  const [found] = await sluice.sweep(ACCOUNT);
  expect(found).toMatchObject({
    target: 'checkout:live',
    ...TARGET,
    cure: expect.stringContaining('aws lambda update-alias'),
  });
}, 90_000);
