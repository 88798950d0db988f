/** A rollout beside which somebody calls the function by its bare name, also when its worker dies on the way there and back. */
import path from 'node:path';
import {
  CreateAliasCommand,
  CreateEventSourceMappingCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
} from '@aws-sdk/client-lambda';
import { ACTIONS } from '../../activities/platform/lambda/actions.js';
import { startAws, type Write } from '../../emulators/aws/index.js';
import type { Running } from '../../emulators/process.js';
import { awsEnv } from '../../src/demo/clouds/lambda.js';
import { type Parts, startParts, startWorkerProcess } from '../../src/demo/stack.js';
import type { RolloutView } from '../../src/model/view.js';
import { call, functionWith } from '../emulators/aws/functions.js';
import { ROOT } from '../support/tools.js';
import { until } from '../support/until.js';
import { specOf } from './target.js';

type World = Parts<Awaited<ReturnType<typeof startAws>>>;

const folder = path.join(ROOT, '.sluice', 'e2e', `bypass-${process.pid}`);
let world: World;
let lambda: LambdaClient;
let worker: Running;
const further: Running[] = [];
/** What happens after the next write of this operation, before it is answered. */
let after: { operation: string; act: () => Promise<void> } | null = null;

async function afterWrite(write: Write): Promise<void> {
  if (after === null || write.operation !== after.operation || write.status >= 300) return;
  const { act } = after;
  after = null;
  await act();
}

const envOf = (aws: World['cloud']) => awsEnv(aws.endpoint);

beforeAll(async () => {
  const roles = { demo: Object.values(ACTIONS).flat() };
  world = await startParts(folder, { cloud: () => startAws({ afterWrite, roles, updatingMs: 50 }), envOf });
  worker = world.worker;
  lambda = new LambdaClient({
    endpoint: world.cloud.gatewayUrl,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'person' },
  });
});

afterAll(async () => {
  lambda?.destroy();
  for (const one of further) await one.stop();
  await world?.stop();
});

/** The worker dies, as by SIGKILL, and another one comes. */
async function crash(): Promise<void> {
  await worker.kill9();
  worker = await startWorkerProcess({
    temporal: world.temporal.address,
    folder,
    env: { ...envOf(world.cloud), SLUICE_CALLS_PER_SECOND: '100' },
  });
  further.push(worker);
}

/** A function whose users come by a queue that is mapped to its bare name; `live` is at what it runs. The mapping's id. */
async function bareFunction(fn: string): Promise<string> {
  await functionWith(lambda, fn, ['return "old"']);
  await lambda.send(new CreateAliasCommand({ FunctionName: fn, Name: 'live', FunctionVersion: '1' }));
  const EventSourceArn = `arn:aws:sqs:us-east-1:000000000000:${fn}`;
  const { UUID } = await lambda.send(
    new CreateEventSourceMappingCommand({ FunctionName: fn, EventSourceArn, Enabled: false }),
  );
  return `mapping/${UUID}`;
}

async function start(app: string, allowBypass: string[]) {
  const approval = { within: '1h' };
  const input = specOf(app, {
    allowBypass,
    // The role stays, since Lambda splits traffic only between versions of one.
    configuration: { handler: 'index.handler', environment: { RELEASE: 'new' } },
    strategy: {
      type: 'canary',
      stages: [
        { weight: '10%', bake: '200ms', approval },
        { weight: '100%', bake: '200ms' },
      ],
    },
    deadlines: { deploy: '2m' },
  });
  return world.client.workflow.start('canary', {
    workflowId: `${app}/production`,
    taskQueue: 'sluice',
    args: [await world.pack(input)],
  });
}

type Rolling = Awaited<ReturnType<typeof start>>;

const phase = (rolling: Rolling, wanted: RolloutView['phase']) =>
  until(wanted, async () => {
    const view = await rolling.query<RolloutView>('status');
    return view.phase === wanted ? view : null;
  });

const latest = (FunctionName: string) => lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));

/** Both run what they ran before. */
async function expectOld(fn: string, digest: string | undefined): Promise<void> {
  expect((await latest(fn)).CodeSha256).toBe(digest);
  expect((await latest(fn)).Environment?.Variables ?? {}).toEqual({});
  expect((await call(lambda, fn)).body).toBe('old');
  expect((await call(lambda, fn, 'live')).body).toBe('old');
}

test('is refused before anything is changed, with the caller and the command that moves it', async () => {
  const fn = 'bare-refused';
  const id = await bareFunction(fn);
  const { RevisionId } = await latest(fn);
  const rolling = await start(fn, []);
  await expect(rolling.result()).rejects.toThrow();
  const view = await rolling.query<RolloutView>('status');
  expect(view).toMatchObject({ outcome: 'failed', code: 'SLUICE_BYPASS' });
  expect(view.reason).toContain(`aws lambda update-event-source-mapping --region us-east-1 --uuid ${id.split('/')[1]}`);
  expect((await latest(fn)).RevisionId).toBe(RevisionId);
});

test('says in every view who was let through, and a rejection gives them back what they ran', async () => {
  const fn = 'bare-rejected';
  const id = await bareFunction(fn);
  const digest = (await latest(fn)).CodeSha256;
  const rolling = await start(fn, [id]);
  const waiting = await phase(rolling, 'awaitingApproval');
  expect(waiting.bypass).toEqual([{ id, what: expect.stringContaining(`:${fn}, disabled`) }]);
  expect(waiting.stages[0]?.steps).toContain('deploy: callers of the bare name get it');
  expect(waiting.events.map(({ text }) => text).join('\n')).toContain(
    'version 1 keeps what callers of the bare name run now',
  );
  expect((await latest(fn)).CodeSha256).not.toBe(digest);
  await rolling.signal('reject', { stage: '10%', by: 'ben' });
  const view = (await rolling.result()) as RolloutView;
  expect(view.outcome).toBe('rejected');
  expect(view.events.map(({ text }) => text)).toContain(`$LATEST of ${fn} is again what version 1 is`);
  await expectOld(fn, digest);
});

test.each(['UpdateFunctionConfiguration', 'UpdateFunctionCode'])(
  'comes back when the worker dies on the way there, after %s, and the rollout is aborted',
  async (operation) => {
    const fn = `bare-there-${operation}`;
    const id = await bareFunction(fn);
    const digest = (await latest(fn)).CodeSha256;
    const dead = new Promise<void>((resolve) => {
      after = {
        operation,
        act: async () => {
          await worker.kill9();
          resolve();
        },
      };
    });
    const rolling = await start(fn, [id]);
    await dead;
    await rolling.signal('abort', { by: 'ann' });
    await crash();
    const view = (await rolling.result()) as RolloutView;
    expect(view.outcome).toBe('rolledBack');
    await expectOld(fn, digest);
  },
);

test.each(['UpdateAlias', 'UpdateFunctionConfiguration', 'UpdateFunctionCode'])(
  'comes back when the worker dies on the way back, after %s',
  async (operation) => {
    const fn = `bare-back-${operation}`;
    const id = await bareFunction(fn);
    const digest = (await latest(fn)).CodeSha256;
    const rolling = await start(fn, [id]);
    await phase(rolling, 'awaitingApproval');
    after = { operation, act: crash };
    await rolling.signal('abort', { by: 'ann' });
    const view = (await rolling.result()) as RolloutView;
    expect(after).toBeNull();
    expect(view.outcome).toBe('rolledBack');
    await expectOld(fn, digest);
  },
);
