/** The ways back that need more than one rollout: `undo` by the companion's ledger, and what `sweep` finds after a terminate. */
import path from 'node:path';
import { LambdaClient, UpdateAliasCommand } from '@aws-sdk/client-lambda';
import { connect, resultOf, type Sluice } from '../../src/client/index.js';
import { lambdaUsers } from '../../src/demo/clouds/lambda.js';
import { type Stack, startStack } from '../../src/demo/stack.js';
import { Traffic } from '../../src/demo/traffic.js';
import type { RolloutView } from '../../src/model/view.js';
import { ROOT } from '../support/tools.js';
import { until } from '../support/until.js';

const ACCOUNT = { platform: 'lambda', account: 'default', region: 'us-east-1' };
const TARGET = { app: 'checkout', environment: 'production' };

let stack: Stack;
let sluice: Sluice;
let starts = 0;

beforeAll(async () => {
  stack = await startStack(path.join(ROOT, '.sluice', 'e2e', `back-${process.pid}`));
  sluice = await connect({ env: { TEMPORAL_ADDRESS: stack.temporal.address, SLUICE_STORE: stack.store } });
});

afterAll(async () => {
  await sluice?.close();
  await stack?.stop();
});

async function release(version: string, by: string, strategy: unknown, health: object = {}) {
  return stack.client.workflow.start((strategy as { type: string }).type, {
    workflowId: 'checkout/production',
    taskQueue: 'sluice',
    args: [
      await stack.pack({
        ...TARGET,
        target: { function: 'checkout', alias: 'live', region: 'us-east-1' },
        release: { folder: path.join(ROOT, 'examples', 'checkout', version) },
        configuration: {
          runtime: 'nodejs20.x',
          handler: 'index.handler',
          role: 'arn:aws:iam::000000000000:role/checkout',
          logFormat: 'JSON',
          // Each is a release of its own, in whatever order the tests run.
          environment: { START: String(++starts) },
        },
        strategy,
        health: {
          judge: { minRequests: 3 },
          probes: [{ name: 'smoke', invoke: { payload: { user: 'user-1' } }, expect: { status: 200 }, every: '100ms' }],
          metrics: [],
          ...health,
        },
        startedBy: by,
      }),
    ],
  });
}

/** Starts an undo and ends its bake, of a minute by default, as soon as it bakes. */
async function undone(input: Record<string, unknown>): Promise<RolloutView> {
  const undo = await stack.client.workflow.start('undo', {
    workflowId: 'checkout/production',
    taskQueue: 'sluice',
    args: [input],
  });
  await until('the bake', async () => (await undo.query<RolloutView>('status')).phase === 'baking');
  await undo.executeUpdate('skip', { args: [{ by: 'test' }] });
  return await resultOf(undo);
}

async function ledger() {
  return (await sluice.releases('checkout')).find((each) => each.environment === 'production');
}

const DIRECT = { type: 'direct', bake: '1s' };

/** Two releases, one after the other; the version of each. */
async function twoReleases(): Promise<[string, string]> {
  const versions: string[] = [];
  for (const code of ['v1', 'v2']) {
    const view = await resultOf(await release(code, 'ann', DIRECT));
    versions.push(String(view.candidate));
  }
  const [first, second] = versions as [string, string];
  await until('the offer to go back', async () => (await ledger())?.undo?.version === first);
  return [first, second];
}

test('undo rolls back to the replaced release, and the ledger records who did what', async () => {
  const [first, second] = await twoReleases();
  expect(await undone({ startedBy: 'ben' })).toMatchObject({
    outcome: 'succeeded',
    candidate: first,
    startedBy: 'ben',
  });
  const releases = await until('the ledger', async () => {
    const now = await ledger();
    return now?.releases[0]?.strategy === 'undo' ? now.releases.slice(0, 3) : null;
  });
  expect(releases.map(({ version, by, strategy }) => ({ version, by, strategy }))).toEqual([
    { version: first, by: 'ben', strategy: 'undo' },
    { version: second, by: 'ann', strategy: 'direct' },
    { version: first, by: 'ann', strategy: 'direct' },
  ]);
});

test('an undo without a name is not attributed to whoever started the release that it undoes', async () => {
  await twoReleases();
  expect(await undone({})).toMatchObject({ outcome: 'succeeded', startedBy: null });
});

test('a release that fails for some users is rolled back, and says how it failed', async () => {
  await resultOf(await release('v1', 'ann', DIRECT));
  const traffic = new Traffic(lambdaUsers(stack.aws.endpoint, { function: 'checkout', alias: 'live' }), 20);
  traffic.start();
  try {
    const stages = [
      { weight: '50%', bake: '1m' },
      { weight: '100%', bake: '4s' },
    ];
    const metrics = [{ name: 'requests', lambdaLogs: { every: '1s', window: '1s', delay: '2s' } }];
    const bad = await release('v4', 'ann', { type: 'canary', stages }, { metrics });
    const { outcome, errors } = await resultOf(bad);
    expect(outcome).toBe('rolledBack');
    // On a busy machine a call of our own may be late beside them.
    expect(errors).toContainEqual({ what: expect.stringContaining('TypeError'), count: expect.any(Number) });
  } finally {
    await traffic.stop();
  }
});

test('sweep leaves a running rollout alone, and finds the split of a terminated one', async () => {
  await resultOf(await release('v1', 'ann', DIRECT));
  const rolling = await release('v3', 'ann', {
    type: 'canary',
    stages: [
      { weight: '10%', bake: '1h' },
      { weight: '100%', bake: '1s' },
    ],
  });
  await until('the bake', async () => (await rolling.query<RolloutView>('status')).phase === 'baking');
  expect(await sluice.sweep(ACCOUNT)).toEqual([]);
  await rolling.terminate('a hand that does not know better');
  const [found] = await sluice.sweep(ACCOUNT);
  expect(found).toMatchObject({
    target: 'checkout:live',
    ...TARGET,
    cure: 'aws lambda update-alias --function-name checkout --name live --routing-config AdditionalVersionWeights={}',
  });
  await cure();
  expect(await sluice.sweep(ACCOUNT)).toEqual([]);
});

/** What `sweep` tells a person to do, done through the same API. */
async function cure(): Promise<void> {
  const credentials = { accessKeyId: 'a', secretAccessKey: 'person' };
  const lambda = new LambdaClient({ endpoint: stack.aws.endpoint, region: 'us-east-1', credentials });
  const none = { AdditionalVersionWeights: {} };
  await lambda.send(new UpdateAliasCommand({ FunctionName: 'checkout', Name: 'live', RoutingConfig: none }));
  lambda.destroy();
}
