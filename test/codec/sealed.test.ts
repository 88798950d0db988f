/**
 * Messages and starts that do not open: under a key that no worker has, under another key of the same id, with one flipped byte.
 * None stops a rollout or its companion, and a replay with other keys goes the same way.
 */
import { randomBytes } from 'node:crypto';
import { Client } from '@temporalio/client';
import { defaultPayloadConverter, type Payload, type PayloadCodec } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { connect } from '../../src/client/index.js';
import { codecOf, workerConverterOf } from '../../src/codec/index.js';
import { companionId, rolloutId, TASK_QUEUE } from '../../src/model/ids.js';
import { GATED, inputFor, QUICK, startWorld, type World } from '../client/world.js';
import { workflowBundle } from '../support/bundle.js';
import { until } from '../support/until.js';

const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const [OURS, THEIRS, IMPOSTOR] = [key('ours'), key('theirs'), key('ours')];
const target = (app: string) => ({ app, environment: 'production' });

let world: World;
beforeAll(async () => {
  world = await startWorld({ searchAttributes: false, codecKeys: OURS });
});
afterAll(() => world.stop());

async function sealed(keys: string, value: unknown): Promise<Payload> {
  const [payload = {}] = await codecOf({ SLUICE_CODEC_KEYS: keys }).encode([
    defaultPayloadConverter.toPayload(value) ?? {},
  ]);
  return payload;
}

function flipped(payload: Payload): Payload {
  return { ...payload, data: Buffer.from(payload.data ?? []).map((byte, at) => (at === 20 ? byte ^ 1 : byte)) };
}

/** The three that do not open with our key. */
const SPOILED: [string, (value: unknown) => Promise<Payload>][] = [
  ['under a key that no worker has', (value) => sealed(THEIRS, value)],
  ['under another key with the same id', (value) => sealed(IMPOSTOR, value)],
  ['with one flipped byte', async (value) => flipped(await sealed(OURS, value))],
];

/** A client of Temporal's own that sends payloads as `spoil` makes them, and reads answers with our key. */
function stranger(spoil: (value: unknown) => Promise<Payload>): Client {
  const ours = codecOf({ SLUICE_CODEC_KEYS: OURS });
  const codec: PayloadCodec = {
    encode: (payloads) => Promise.all(payloads.map((each) => spoil(defaultPayloadConverter.fromPayload(each)))),
    decode: (payloads) => ours.decode(payloads),
  };
  return new Client({ connection: world.raw, dataConverter: { payloadCodecs: [codec] } });
}

async function signal(workflowId: string, signalName: string, payload: Payload): Promise<void> {
  await world.raw.workflowService.signalWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId },
    signalName,
    input: { payloads: [payload] },
  });
}

async function eventsOf(workflowId: string) {
  const at = { namespace: 'default', execution: { workflowId } };
  const { history } = await world.raw.workflowService.getWorkflowExecutionHistory(at);
  return history?.events ?? [];
}

async function failedTasks(workflowId: string) {
  const failed = (await eventsOf(workflowId)).flatMap((event) => event.workflowTaskFailedEventAttributes ?? []);
  // The server's own refuse to end a run that has news.
  return failed.filter(({ failure }) => failure?.serverFailureInfo == null);
}

/** Temporal's own cancel, and that it ends the run. */
async function cancel(workflowId: string): Promise<void> {
  await new Client({ connection: world.raw }).workflow.getHandle(workflowId).cancel();
  await until('the end by the cancel', async () =>
    (await eventsOf(workflowId)).some((event) => event.workflowExecutionCanceledEventAttributes != null),
  );
}

async function replay(workflowId: string, keys: string | undefined): Promise<void> {
  const history = await new Client({ connection: world.raw }).workflow.getHandle(workflowId).fetchHistory();
  const codec = codecOf({ SLUICE_CODEC_KEYS: keys });
  const options = { ...workflowBundle(true), dataConverter: workerConverterOf(codec) };
  await Worker.runReplayHistory(options, history, workflowId);
}

async function gated(app: string): Promise<string> {
  const { sluice } = world;
  await sluice.start({ ...target(app), type: 'canary', input: inputFor(app, GATED), onNewRelease: 'reject' });
  await until('the approval', async () => (await sluice.status(target(app))).view?.phase === 'awaitingApproval');
  return rolloutId(app, 'production');
}

async function spoilRollout(app: string): Promise<string> {
  const id = await gated(app);
  for (const [, spoil] of SPOILED) {
    for (const name of ['pause', 'supersede', 'nonsense']) await signal(id, name, await spoil({ by: 'eve' }));
    const update = stranger(spoil)
      .workflow.getHandle(id)
      .executeUpdate('pause', { args: [{ by: 'eve' }] });
    await expect(update).rejects.toMatchObject({ cause: { type: 'SLUICE_SEALED' } });
  }
  return id;
}

test('a rollout records messages that cannot be decrypted and goes on; abort still works, and a replay with more keys takes the same path', async () => {
  const { sluice } = world;
  const id = await world.withWorkers(async () => {
    const id = await spoilRollout('spoiled');
    const { view } = await sluice.status(target('spoiled'));
    const whys = (view?.refusals ?? []).map(({ verb, why }) => `${verb} ${why}`);
    expect(
      whys.filter((each) => /^pause .*under the key "theirs" and this process has the keys ours/.test(each)),
    ).toHaveLength(2);
    expect(
      whys.filter((each) => /^pause .*under the encryption key "ours" cannot be decrypted/.test(each)),
    ).toHaveLength(4);
    await sluice.verb(target('spoiled'), 'abort', { by: 'ann' });
    expect((await sluice.wait(target('spoiled'), 'done')).view?.outcome).toBe('rolledBack');
    return id;
  });
  expect(await failedTasks(id)).toEqual([]);
  // With the missing key all of theirs would open now.
  for (const keys of [OURS, `${OURS},${THEIRS}`, `${THEIRS},${OURS}`]) await replay(id, keys);
});

test("Temporal's cancel still works after them", async () => {
  await world.withWorkers(async () => {
    const id = await spoilRollout('spoiled-too');
    await cancel(id);
    expect((await world.sluice.status(target('spoiled-too'))).view?.outcome).toBe('rolledBack');
  });
});

test('a message that one worker decrypted counts on a worker without its key', async () => {
  const id = await world.withWorkers(async () => {
    const id = await gated('opened');
    await signal(id, 'abort', await sealed(THEIRS, { by: 'carl' }));
    const { view } = await world.sluice.wait(target('opened'), 'done');
    expect(view?.reason).toContain('aborted by carl');
    return id;
  }, `${OURS},${THEIRS}`);
  await replay(id, OURS);
});

test('a companion continues after events and releases that cannot be decrypted', async () => {
  const { sluice } = world;
  const id = companionId('shop', 'production');
  const begin = async (version: number) => {
    const started = await sluice.start({
      ...target('shop'),
      type: 'direct',
      input: inputFor('shop', QUICK, version),
      onNewRelease: 'queue',
    });
    await sluice.wait(target('shop'), 'done', { run: started.run ?? '' });
  };
  const ended = (run: string) => ({
    ...{ kind: 'ended', run, at: 1, undo: null },
    entry: {
      version: run,
      digest: '',
      since: 1,
      until: null,
      by: null,
      run,
      strategy: 'direct',
      message: null,
      replaced: null,
      undoUntil: null,
    },
  });
  const versions = async () => (await sluice.releases('shop'))[0]?.releases.map(({ version }) => version);
  await world.withWorkers(async () => {
    await begin(2);
    for (const [, spoil] of SPOILED.slice(1)) await signal(id, 'rolloutEvent', await spoil(ended('never')));
    for (const [, spoil] of SPOILED) {
      const submission = { type: 'direct', input: inputFor('shop', QUICK), mode: 'queue', by: 'eve', message: null };
      const update = stranger(spoil)
        .workflow.getHandle(id)
        .executeUpdate('submit', { args: [submission] });
      await expect(update).rejects.toMatchObject({ cause: { type: 'SLUICE_SEALED' } });
    }
    await begin(3);
    await until('both releases', async () => (await versions())?.length === 2);
    // A worker's own, under a key that has not come to this one yet.
    await signal(id, 'rolloutEvent', await sealed(THEIRS, ended('late')));
    await until('the wait for the key', async () => {
      const last = (await eventsOf(id)).findLast((event) => event.activityTaskCompletedEventAttributes != null);
      const since = (await eventsOf(id)).filter((event) => Number(event.eventId) > Number(last?.eventId));
      return since.some((event) => event.timerStartedEventAttributes != null);
    });
  });
  await world.withWorkers(async () => {
    await until('the late event', async () => (await versions())?.[0] === 'late');
    await cancel(id);
  }, `${OURS},${THEIRS}`);
  expect(await failedTasks(id)).toEqual([]);
  for (const keys of [OURS, `${THEIRS},${OURS}`]) await replay(id, keys);
});

describe('a start', () => {
  test.each(SPOILED)('%s closes as Failed and says why', async (name, spoil) => {
    const app = name.replaceAll(' ', '-');
    await world.withWorkers(async () => {
      const start = { workflowId: rolloutId(app, 'production'), taskQueue: TASK_QUEUE, args: [inputFor(app, QUICK)] };
      const handle = await stranger(spoil).workflow.start('direct', start);
      await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'SLUICE_SEALED' } });
      const { view } = await world.sluice.status(target(app));
      expect(view).toMatchObject({ outcome: 'failed', reason: expect.stringContaining('nothing was started') });
      await begun(app);
    });
  });

  test('with text that is not JSON closes as Failed too', async () => {
    await world.withWorkers(async () => {
      const broken = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{') };
      const start = {
        workflowId: rolloutId('broken', 'production'),
        taskQueue: TASK_QUEUE,
        args: [{}],
        memo: { note: 1 },
      };
      const handle = await stranger(async () => broken).workflow.start('direct', start);
      await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'SLUICE_SEALED' } });
    });
  });

  test('of a companion with an unreadable memo closes as Failed, and the target is free', async () => {
    await world.withWorkers(async () => {
      const app = 'memo';
      const fields = { note: await sealed(THEIRS, 'of nobody') };
      await world.raw.workflowService.startWorkflowExecution({
        ...{ namespace: 'default', workflowId: companionId(app, 'production'), requestId: app },
        workflowType: { name: 'companion' },
        taskQueue: { name: TASK_QUEUE },
        input: { payloads: [await sealed(OURS, app), await sealed(OURS, 'production')] },
        memo: { fields },
      });
      await until('the end', async () =>
        (await eventsOf(companionId(app, 'production'))).some(
          (event) => event.workflowExecutionFailedEventAttributes != null,
        ),
      );
      await begun(app);
    });
  });

  /** The target is free again. */
  async function begun(app: string): Promise<void> {
    const { run } = await world.sluice.start({
      ...target(app),
      type: 'direct',
      input: inputFor(app, QUICK),
      onNewRelease: 'reject',
    });
    expect((await world.sluice.wait(target(app), 'done', { run: run ?? '' })).view?.outcome).toBe('succeeded');
  }
});

test.each([
  ['another key', THEIRS, 'a payload is encrypted under the key "ours" and this process has the keys theirs'],
  [
    'another key first',
    `${THEIRS},${OURS}`,
    'nothing was sent: this client encrypts under the key "theirs" and the workers have the keys ours; put one of theirs first',
  ],
  ['another key with the same id', IMPOSTOR, 'cannot be decrypted with the key of that id'],
])('a client with %s sends nothing and says what to do', async (_, codecKeys, says) => {
  const sluice = await connect({ env: { TEMPORAL_ADDRESS: world.temporal.address, SLUICE_CODEC_KEYS: codecKeys } });
  try {
    await world.withWorkers(async () => {
      const app = 'unsent';
      const start = sluice.start({
        ...target(app),
        type: 'direct',
        input: inputFor(app, QUICK),
        onNewRelease: 'queue',
      });
      await expect(start).rejects.toMatchObject({ code: 'SLUICE_SETUP', message: expect.stringContaining(says) });
      await expect(sluice.verb(target(app), 'abort', { by: 'ann' })).rejects.toThrow(says);
      await expect(world.sluice.status(target(app))).rejects.toMatchObject({ code: 'SLUICE_NO_ROLLOUT' });
    });
  } finally {
    await sluice.close();
  }
});
