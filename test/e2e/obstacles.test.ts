/**
 * What may stand in a rollout's way, one test each, on a real Temporal server and the emulated Lambda: the rollout ends or
 * says `stuck`, and its message says where, what and what to do. Each test has a function and an app of its own.
 */
import path from 'node:path';
import { CreateAliasCommand, GetAliasCommand, type LambdaClient, UpdateAliasCommand } from '@aws-sdk/client-lambda';
import type { WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { connect, type Sluice } from '../../src/client/index.js';
import { awsEnv } from '../../src/demo/clouds/lambda.js';
import { type Stack, startStack, startWorkerProcess } from '../../src/demo/stack.js';
import { choicesOf } from '../../src/model/rollout/next.js';
import type { RolloutView } from '../../src/model/view.js';
import { functionWith, lambdaAt } from '../emulators/aws/functions.js';
import { ROOT } from '../support/tools.js';
import { NEVER, until } from '../support/until.js';

const REGION = 'us-east-1';
const HOUR_AT_10 = {
  type: 'canary',
  stages: [
    { weight: '10%', bake: '1h' },
    { weight: '100%', bake: '1s' },
  ],
};
const folder = path.join(ROOT, '.sluice', 'e2e', `obstacles-${process.pid}`);

let stack: Stack;
let sluice: Sluice;
/** A person's own hand: past the faults that the worker meets. */
let lambda: LambdaClient;

beforeAll(async () => {
  stack = await startStack(folder, { faults: true, workerEnv: { SLUICE_CALLS_PER_SECOND: '100' } });
  sluice = await connect({ env: { TEMPORAL_ADDRESS: stack.temporal.address } });
  lambda = lambdaAt(stack.aws.gatewayUrl);
});

afterAll(async () => {
  lambda?.destroy();
  await sluice?.close();
  await stack?.stop();
});

afterEach(() => stack.aws.faults.clear());

/** A function with versions 1 and 2, and an alias `live` on the first. */
async function live(fn: string): Promise<void> {
  await functionWith(lambda, fn, ['return 1', 'return 2']);
  await lambda.send(new CreateAliasCommand({ FunctionName: fn, Name: 'live', FunctionVersion: '1' }));
}

/** Starts a rollout of version 2 of a function; the app has the function's name. */
function start(
  fn: string,
  strategy: { type: string },
  more: { release?: object; target?: object; deadlines?: object },
) {
  return stack.client.workflow.start(strategy.type, {
    workflowId: `${fn}/production`,
    taskQueue: 'sluice',
    args: [
      {
        app: fn,
        environment: 'production',
        release: { version: 2 },
        strategy,
        health: {
          judge: { minRequests: 1 },
          probes: [{ name: 'smoke', invoke: { payload: {} }, every: '100ms' }],
          metrics: [],
        },
        ...more,
        target: { function: fn, alias: 'live', region: REGION, ...more.target },
      },
    ],
  });
}

type Rolling = WorkflowHandleWithFirstExecutionRunId;

/** Waits until the rollout is in a phase. */
function phase(rolling: Rolling, wanted: RolloutView['phase']): Promise<RolloutView> {
  const [app = '', environment = ''] = rolling.workflowId.split('/');
  return until(`${rolling.workflowId} is ${wanted}`, async () => {
    const { view } = await sluice.status({ app, environment });
    return view?.phase === wanted && view;
  });
}

/** Waits until the rollout is closed, and the next one may start. */
async function ended(rolling: Rolling): Promise<RolloutView> {
  const [app = '', environment = ''] = rolling.workflowId.split('/');
  const last = await sluice.wait({ app, environment }, 'done', { signal: AbortSignal.timeout(NEVER) });
  if (!last.ended || last.view === null) throw new Error(`${rolling.workflowId} has not ended within 30 s`);
  return last.view;
}

/** Waits until the watcher has seen the candidate: before, the end of a bake would have no counts to go by. */
async function counted(fn: string): Promise<void> {
  await until(`${fn} is counted`, async () => {
    const { view } = await sluice.status({ app: fn, environment: 'production' });
    return view?.phase === 'baking' && (view.verdict?.candidate.requests ?? 0) > 0;
  });
}

/** A canary that is watched at 10 %. */
async function baking(fn: string, deadlines: object = {}): Promise<Rolling> {
  const rolling = await start(fn, HOUR_AT_10, { deadlines });
  await counted(fn);
  return rolling;
}

async function aliasOf(fn: string) {
  const found = await lambda.send(new GetAliasCommand({ FunctionName: fn, Name: 'live' }));
  return { version: found.FunctionVersion, weights: found.RoutingConfig?.AdditionalVersionWeights ?? {} };
}

/** What took effect; a plan tries permissions with writes that cannot. */
const writesTo = (fn: string) =>
  stack.aws
    .writes()
    .filter(({ function: of, operation, error }) => of === fn && operation.endsWith('Alias') && error === null);

const DIRECT = { type: 'direct', bake: '1s' };

test('a function without the alias gets it with its first deployment', async () => {
  await functionWith(lambda, 'newborn', ['return 1']);
  // A first deployment bakes as long as the last stage says: until it is skipped below.
  const slow = { ...HOUR_AT_10, stages: HOUR_AT_10.stages.map((stage) => ({ ...stage, bake: '1h' })) };
  const rolling = await start('newborn', slow, { release: { version: 1 } });
  const view = await phase(rolling, 'baking');
  expect(view).toMatchObject({ stable: null, candidate: '1', weight: 100 });
  expect(view.stages.map(({ name }) => name)).not.toContain('10%');
  await counted('newborn');
  await rolling.signal('skip', { by: 'ann' });
  expect(await ended(rolling)).toMatchObject({ outcome: 'succeeded', reason: 'release 1 is live' });
  expect(await aliasOf('newborn')).toEqual({ version: '1', weights: {} });
});

test('a release that is already live ends as nothingToRelease, and the alias is not written', async () => {
  await live('same');
  const writes = writesTo('same').length;
  const view = await ended(await start('same', HOUR_AT_10, { release: { version: 1 } }));
  expect(view).toMatchObject({ outcome: 'nothingToRelease', reason: 'release 1 is already live and identical' });
  expect(writesTo('same')).toHaveLength(writes);
});

test('an alias that someone left split is refused with the command that ends the split, and that command works', async () => {
  await live('halved');
  const split = { AdditionalVersionWeights: { 2: 0.3 } };
  await lambda.send(new UpdateAliasCommand({ FunctionName: 'halved', Name: 'live', RoutingConfig: split }));
  const refused = await ended(await start('halved', DIRECT, {}));
  expect(refused).toMatchObject({ outcome: 'failed', code: 'SLUICE_ALIAS_SPLIT' });
  expect(refused.reason).toContain('halved:live is split already');
  expect(refused.reason).toContain(
    '`aws lambda update-alias --function-name halved --name live --routing-config AdditionalVersionWeights={}`',
  );
  expect(await aliasOf('halved')).toEqual({ version: '1', weights: { 2: 0.3 } });

  // What that command does, by the same API.
  const none = { AdditionalVersionWeights: {} };
  await lambda.send(new UpdateAliasCommand({ FunctionName: 'halved', Name: 'live', RoutingConfig: none }));
  expect(await ended(await start('halved', DIRECT, {}))).toMatchObject({ outcome: 'succeeded' });
});

test("someone else's change during the rollout stops it, is kept, and ends with abort --force", async () => {
  await live('touched');
  const rolling = await baking('touched');
  const theirs = { AdditionalVersionWeights: { 2: 0.4 } };
  await lambda.send(new UpdateAliasCommand({ FunctionName: 'touched', Name: 'live', RoutingConfig: theirs }));
  await rolling.signal('skip', { by: 'ann' });
  const stuck = await phase(rolling, 'stuck');
  expect(stuck).toMatchObject({ code: 'SLUICE_FOREIGN_CHANGE', waitingFor: { verbs: ['abort', 'retry'] } });
  expect(stuck.reason).toMatch(/touched:live/);
  expect(choicesOf(stuck).map(({ command }) => command)).toEqual([
    'sluice abort touched/production --keep --unwatched',
    'sluice abort touched/production --force',
    'sluice retry touched/production --adopt',
  ]);
  expect(await aliasOf('touched')).toEqual({ version: '1', weights: { 2: 0.4 } });

  await rolling.signal('abort', { by: 'ann', force: true });
  expect(await ended(rolling)).toMatchObject({ outcome: 'rolledBack', reason: 'aborted by ann' });
  expect(await aliasOf('touched')).toEqual({ version: '1', weights: {} });
});

test('without a worker for the account, the rollout names the account and the queue, and continues when one starts', async () => {
  await live('unserved');
  const rolling = await start('unserved', DIRECT, { target: { account: 'prod' }, deadlines: { worker: '1s' } });
  const stuck = await phase(rolling, 'stuck');
  expect(stuck).toMatchObject({
    code: 'SLUICE_NO_WORKER',
    reason:
      'no worker serves account prod in us-east-1: no worker took a task from queue sluice-lambda-prod-us-east-1 within 1s; start one with `sluice worker --account prod --region us-east-1`. Nothing has been changed',
  });
  const worker = await startWorkerProcess({
    temporal: stack.temporal.address,
    folder,
    env: { ...awsEnv(stack.aws.endpoint), SLUICE_ACCOUNTS: 'prod@us-east-1' },
  });
  try {
    expect(await ended(rolling)).toMatchObject({ outcome: 'succeeded', candidate: '2' });
  } finally {
    await worker.stop();
  }
});

/** AWS Lambda API Reference, "Common Errors": each of them is answered with 403. */
const CREDENTIALS: [string, { code: string; message: string }, string, RegExp][] = [
  [
    'wrong credentials',
    { code: 'UnrecognizedClientException', message: 'The security token included in the request is invalid.' },
    'SLUICE_CREDENTIALS',
    /UnrecognizedClientException: The security token .* is invalid\. Give the worker valid credentials/,
  ],
  [
    'expired credentials',
    { code: 'ExpiredTokenException', message: 'The security token included in the request is expired' },
    'SLUICE_CREDENTIALS',
    /ExpiredTokenException: The security token .* is expired\. Give the worker valid credentials/,
  ],
  [
    'a missing permission',
    {
      code: 'AccessDeniedException',
      message: 'User: arn:aws:iam::000000000000:user/ci is not authorized to perform: lambda:GetFunctionConfiguration',
    },
    'SLUICE_PERMISSION',
    /^lambda:GetFunctionConfiguration is not allowed: .* Allow it in the policy of the worker's identity/,
  ],
];

test.each(CREDENTIALS)('with %s the rollout is refused before anything is touched', async (_, said, code, says) => {
  const fn = said.code;
  await live(fn);
  const writes = writesTo(fn).length;
  await stack.aws.faults.set([{ service: 'lambda', error: { ...said, status: 403 } }]);
  const view = await ended(await start(fn, DIRECT, {}));
  expect(view).toMatchObject({ outcome: 'failed', code, reason: expect.stringMatching(says) });
  expect(writesTo(fn)).toHaveLength(writes);
});

test('if credentials expire in a bake, the rollout is held, an abort is stuck, and finishes with new credentials', async () => {
  await live('expiring');
  const rolling = await baking('expiring', { stuckAfter: '1s' });
  const [, said] = CREDENTIALS[1] as (typeof CREDENTIALS)[number];
  await stack.aws.faults.set([{ service: 'lambda', error: { ...said, status: 403 } }]);
  await until('the watcher is blind', async () => {
    const { view } = await sluice.status({ app: 'expiring', environment: 'production' });
    return view?.verdict?.state === 'blind';
  });
  await rolling.signal('skip', { by: 'ann' });
  const held = await phase(rolling, 'held');
  expect(held.reason).toMatch(/stage 10%: blind: .*ExpiredTokenException.*Give the worker valid credentials/);
  expect(held.waitingFor?.verbs).toContain('abort');

  await rolling.signal('abort', { by: 'ann' });
  const stuck = await phase(rolling, 'stuck');
  expect(stuck.code).toBe('SLUICE_CREDENTIALS');
  expect(stuck.reason).toMatch(
    /^the rollback has not succeeded yet: .*ExpiredTokenException.*Give the worker valid credentials/,
  );
  await stack.aws.faults.clear();
  expect(await ended(rolling)).toMatchObject({ outcome: 'rolledBack', reason: 'aborted by ann' });
  expect(await aliasOf('expiring')).toEqual({ version: '1', weights: {} });
});
