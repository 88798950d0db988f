/**
 * Callers of a function's bare name, by real workers with the role that docs/platforms.md shows: a rollout beside them, and
 * `sluice adopt --move-callers`; also when a worker dies on the way there or back. That each single answer may be lost is proved
 * at the driver (test/platform/lambda).
 */
import path from 'node:path';
import {
  AddPermissionCommand,
  CreateAliasCommand,
  GetEventSourceMappingCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
  ListAliasesCommand,
} from '@aws-sdk/client-lambda';
import { startAws, type Write } from '../../emulators/aws/index.js';
import type { Running } from '../../emulators/process.js';
import { connect, resultOf } from '../../src/client/index.js';
import type { MoveRequest, Sluice } from '../../src/client/types.js';
import { awsEnv } from '../../src/demo/clouds/lambda.js';
import { type Parts, startParts, startWorkerProcess } from '../../src/demo/stack.js';
import { movingId } from '../../src/model/ids.js';
import type { RolloutView } from '../../src/model/view.js';
import { ACTIONS } from '../../src/platforms/lambda/driver/permissions.js';
import { specOf } from '../e2e/target.js';
import { call, functionWith, mapTo } from '../emulators/aws/functions.js';
import { ROOT } from '../support/tools.js';
import { until } from '../support/until.js';

type World = Parts<Awaited<ReturnType<typeof startAws>>>;

const folder = path.join(ROOT, '.sluice', 'e2e', `callers-${process.pid}`);
let world: World;
let lambda: LambdaClient;
let sluice: Sluice;
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
  sluice = await connect({ env: { TEMPORAL_ADDRESS: world.temporal.address } });
});

afterAll(async () => {
  lambda?.destroy();
  await sluice?.close();
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
async function bareFunction(fn: string, versions = ['return "old"']): Promise<string> {
  await functionWith(lambda, fn, versions);
  const FunctionVersion = String(versions.length);
  await lambda.send(new CreateAliasCommand({ FunctionName: fn, Name: 'live', FunctionVersion }));
  return mapTo(lambda, fn, fn);
}

describe('a rollout of a function with callers of the bare name', () => {
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
    const id = `mapping/${await bareFunction(fn)}`;
    const { RevisionId } = await latest(fn);
    const rolling = await start(fn, []);
    await expect(rolling.result()).rejects.toThrow();
    const view = await rolling.query<RolloutView>('status');
    expect(view).toMatchObject({ outcome: 'failed', code: 'SLUICE_BYPASS' });
    expect(view.reason).toContain(
      `aws lambda update-event-source-mapping --region us-east-1 --uuid ${id.split('/')[1]}`,
    );
    expect((await latest(fn)).RevisionId).toBe(RevisionId);
  });

  test('shows in every view who was let through, and a rejection gives them back what they ran', async () => {
    const fn = 'bare-rejected';
    const id = `mapping/${await bareFunction(fn)}`;
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
    const view = await resultOf(rolling);
    expect(view.outcome).toBe('rejected');
    expect(view.events.map(({ text }) => text)).toContain(`$LATEST of ${fn} is restored to version 1`);
    await expectOld(fn, digest);
  });

  test('rolls back if a worker dies on the way forward and the rollout is aborted', async () => {
    const fn = 'bare-there';
    const id = `mapping/${await bareFunction(fn)}`;
    const digest = (await latest(fn)).CodeSha256;
    const dead = new Promise<void>((resolve) => {
      after = {
        operation: 'UpdateFunctionCode',
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
    const view = await resultOf(rolling);
    expect(view.outcome).toBe('rolledBack');
    await expectOld(fn, digest);
  });

  test('rolls back if a worker dies during the rollback, with half of $LATEST restored', async () => {
    const fn = 'bare-back';
    const id = `mapping/${await bareFunction(fn)}`;
    const digest = (await latest(fn)).CodeSha256;
    const rolling = await start(fn, [id]);
    await phase(rolling, 'awaitingApproval');
    after = { operation: 'UpdateFunctionConfiguration', act: crash };
    await rolling.signal('abort', { by: 'ann' });
    const view = await resultOf(rolling);
    expect(after).toBeNull();
    expect(view.outcome).toBe('rolledBack');
    await expectOld(fn, digest);
  });
});

describe('moving them to the alias', () => {
  function asking(app: string, how = { undo: false, publish: false }): MoveRequest {
    const { target } = specOf(app, {});
    return {
      app,
      environment: 'production',
      how,
      input: { app, environment: 'production', target, release: { version: 1 } },
    };
  }

  async function moved(request: MoveRequest) {
    const { digest } = await sluice.callers(request);
    return sluice.moveCallers({ ...request, shown: digest });
  }

  const mappedTo = async (UUID: string) =>
    (await lambda.send(new GetEventSourceMappingCommand({ UUID }))).FunctionArn?.split(':function:')[1];

  /** A function that a bucket may call too. */
  async function permitted(fn: string): Promise<string> {
    const uuid = await bareFunction(fn);
    await lambda.send(
      new AddPermissionCommand({
        FunctionName: fn,
        StatementId: 'bucket',
        Action: 'lambda:InvokeFunction',
        Principal: 's3.amazonaws.com',
        SourceArn: 'arn:aws:s3:::shop',
      }),
    );
    return uuid;
  }

  test('is finished by another worker if one dies, there and back', async () => {
    const fn = 'moving-crash';
    const uuid = await permitted(fn);
    after = { operation: 'TagResource', act: crash };
    expect((await moved(asking(fn))).left.map(({ id }) => id)).toEqual(['remove/bucket']);
    expect(await mappedTo(uuid)).toBe(`${fn}:live`);
    await moved(asking(fn));
    after = { operation: 'AddPermission', act: crash };
    expect((await moved(asking(fn, { undo: true, publish: false }))).left).toEqual([]);
    expect(after).toBeNull();
    expect(await mappedTo(uuid)).toBe(fn);
  });

  test('does nothing that was not shown', async () => {
    const fn = 'moving-else';
    const uuid = await bareFunction(fn);
    const { digest } = await sluice.callers(asking(fn, { undo: true, publish: false }));
    await expect(sluice.moveCallers({ ...asking(fn), shown: digest })).rejects.toMatchObject({ code: 'SLUICE_TARGET' });
    expect(await mappedTo(uuid)).toBe(fn);
  });

  test('makes a rollout wait, and does not start beside one', async () => {
    const fn = 'moving-locked';
    const uuid = await bareFunction(fn, ['return "older"', 'return "old"']);
    const input = await world.pack(
      specOf(fn, {
        release: { version: 1 },
        strategy: {
          type: 'canary',
          stages: [
            { weight: '10%', bake: '200ms', approval: { within: '1h' } },
            { weight: '100%', bake: '200ms' },
          ],
        },
      }),
    );
    const start = () =>
      world.client.workflow.start('canary', { workflowId: `${fn}/production`, taskQueue: 'sluice', args: [input] });
    // While it moves a mapping, somebody starts a rollout.
    let rolling: Awaited<ReturnType<typeof start>> | null = null;
    after = {
      operation: 'UpdateEventSourceMapping',
      act: async () => {
        rolling = await start();
        const begun = rolling;
        await until('the rollout waits for the move', async () => {
          const { raw } = await begun.describe();
          return raw.pendingActivities?.some(({ lastFailure }) => /are being moved/.test(lastFailure?.message ?? ''));
        });
        const { Aliases } = await lambda.send(new ListAliasesCommand({ FunctionName: fn }));
        expect(Aliases?.[0]?.FunctionVersion).toBe('2');
      },
    };
    await moved(asking(fn));
    expect(await mappedTo(uuid)).toBe(`${fn}:live`);
    const held = rolling as unknown as Awaited<ReturnType<typeof start>>;
    await until('the rollout goes on', async () => {
      const view = await held.query<RolloutView>('status').catch(() => null);
      if (view?.outcome != null) throw new Error(`it has ended: ${view.reason}`);
      return view?.phase === 'awaitingApproval';
    });
    const refused = { code: 'SLUICE_ALREADY_RUNNING' };
    await expect(sluice.callers(asking(fn))).rejects.toMatchObject(refused);
    await expect(sluice.moveCallers({ ...asking(fn), shown: 'before it began' })).rejects.toMatchObject(refused);
    await held.signal('reject', { stage: '10%', by: 'ben' });
    await resultOf(held);
  });

  test('never runs twice at once for one target, not even under another id', async () => {
    const fn = 'moving-twice';
    await bareFunction(fn);
    const request = asking(fn);
    const { digest: shown } = await sluice.callers(request);
    let second: unknown = null;
    after = {
      operation: 'UpdateEventSourceMapping',
      act: async () => {
        second = await sluice.moveCallers({ ...request, shown }).catch((error: unknown) => error);
      },
    };
    await sluice.moveCallers({ ...request, shown });
    expect(second).toMatchObject({ code: 'SLUICE_ALREADY_RUNNING' });
    const other = world.client.workflow.execute('moveCallers', {
      workflowId: `${movingId(fn, 'production')}-2`,
      taskQueue: 'sluice',
      args: [{ ...request, shown }],
    });
    await expect(other).rejects.toMatchObject({ cause: { type: 'SLUICE_WORKFLOW_ID' } });
  });
});
