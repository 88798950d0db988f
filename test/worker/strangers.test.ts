/** What a stranger may start beside us: workflows of our ids and types, on task queues of his own or with memos that nobody can read. */
import { randomBytes } from 'node:crypto';
import { jest } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { coreActivities } from '../../activities/core.js';
import { type LocalTemporal, startTemporal } from '../../emulators/temporal.js';
import { checkUnused, consume } from '../../src/authority/begin.js';
import { Seals } from '../../src/authority/seals.js';
import { codecOf, unsealerOf } from '../../src/codec/index.js';
import { companionId, movingId, rolloutId, TASK_QUEUE } from '../../src/model/ids.js';
import { openArtifacts } from '../../src/store/index.js';
import { inputFor } from '../client/world.js';
import { OPEN } from '../support/access.js';
import { egressFor } from '../support/egress.js';
import { canary } from '../support/specs.js';
import { unreadable } from '../support/unreadable.js';

let temporal: LocalTemporal;
let connection: Connection;
let client: Client;

beforeAll(async () => {
  temporal = await startTemporal({ headless: true });
  connection = await Connection.connect({ address: temporal.address });
  client = new Client({ connection });
});
afterAll(async () => {
  await connection?.close();
  await temporal?.stop();
});

const light = (over: object = {}) =>
  coreActivities({
    client,
    searchAttributes: false,
    limits: { history: 4_000, signals: 2_000, heartbeat: 10_000, callLife: 60_000 },
    access: OPEN,
    codec: unsealerOf(codecOf({})),
    egress: egressFor(),
    workersOf: async () => ({ workers: 1, places: null, taken: null }),
    otherPolicies: async () => [],
    artifacts: openArtifacts({ setting: '/nowhere', namespace: 'default', env: {}, cwd: '/' }),
    ...over,
  });

async function begun(
  workflowId: string,
  { type, taskQueue, memo, by = client }: { type: string; taskQueue: string; memo: object; by?: Client },
) {
  const handle = await by.workflow.start(type, { workflowId, taskQueue, memo: { ...memo } });
  return handle.firstExecutionRunId;
}

describe('a workflow with the id of a waiting rollout', () => {
  const ask = (app: string) =>
    light().startRollout({ app, environment: 'production', type: 'canary', input: {}, ticket: 'mine' });
  const ticket = { ticket: 'mine' };

  test.each([
    ['is on another task queue', 'elsewhere', { type: 'canary', taskQueue: 'another', memo: ticket }],
    ['is of another type', 'otherwise', { type: 'direct', taskQueue: TASK_QUEUE, memo: ticket }],
    ['has another ticket', 'theirs', { type: 'canary', taskQueue: TASK_QUEUE, memo: { ticket: 'theirs' } }],
  ])('blocks it if it %s', async (_, app, place) => {
    const run = await begun(rolloutId(app, 'production'), place);
    expect(await ask(app)).toEqual({ busy: run });
  });

  test('blocks it, and is named, if its memo cannot be read', async () => {
    const place = { type: 'canary', taskQueue: TASK_QUEUE, memo: ticket, by: unreadable(connection) };
    const run = await begun(rolloutId('strange', 'production'), place);
    expect(await ask('strange')).toEqual({ busy: run });
    expect(await light().isRunning({ app: 'strange', environment: 'production' })).toBe(true);
  });

  test('is that very rollout if an earlier attempt started it', async () => {
    const run = await begun(rolloutId('mine', 'production'), { type: 'canary', taskQueue: TASK_QUEUE, memo: ticket });
    expect(await ask('mine')).toEqual({ started: run });
  });
});

describe('a start', () => {
  const parse = (app: string) => {
    const env = new MockActivityEnvironment({
      workflowType: 'canary',
      workflowExecution: { workflowId: rolloutId(app, 'production'), runId: 'run' },
    });
    const input = inputFor(app, { type: 'canary', stages: [{ weight: '100%', bake: '10m' }] });
    return env.run(() => light().parse({ input, app, environment: 'production', type: 'canary' }));
  };
  const hold = { hold: { by: 'eve', since: 1, run: 'run', version: '1', message: null, seal: null } };

  test('does not wait for a workflow that moves no callers, and no foreign workflow blocks it', async () => {
    const at = { type: 'moveCallers', taskQueue: 'another', memo: hold, by: unreadable(connection) };
    await begun(movingId('free', 'production'), at);
    await begun(companionId('free', 'production'), { type: 'companion', taskQueue: 'another', memo: hold });
    expect(await parse('free')).toMatchObject({ spec: { app: 'free' } });
  });

  test('waits while our own workers move its callers, and for its own companion', async () => {
    await begun(movingId('moving', 'production'), { type: 'moveCallers', taskQueue: TASK_QUEUE, memo: {} });
    await expect(parse('moving')).rejects.toMatchObject({ type: 'SLUICE_BUSY' });
    await begun(companionId('held', 'production'), { type: 'companion', taskQueue: TASK_QUEUE, memo: hold });
    await expect(parse('held')).rejects.toMatchObject({ type: 'SLUICE_HELD' });
  });
});

describe('the workflow that marks a used token', () => {
  const seals = new Seals([randomBytes(32).toString('base64')]);
  const use = (id: string, run = 'mine') => consume(client, seals, { id, run });
  const used = { type: 'helper', taskQueue: TASK_QUEUE };

  test('lets the run that used it try again, and no other', async () => {
    await use('own');
    await use('own');
    await expect(use('own', 'another')).rejects.toMatchObject({
      code: 'SLUICE_ACCESS',
      message: expect.stringContaining('was already used'),
    });
  });

  const another = 'workflow helper on task queue "another"';
  test.each([
    ['has an unreadable memo', 'strange', used, () => unreadable(connection), 'its memo cannot be read'],
    ['is on another task queue', 'elsewhere', { ...used, taskQueue: 'another' }, () => client, another],
    ['is of another type', 'otherwise', { ...used, type: 'theirs' }, () => client, 'workflow theirs on task queue'],
  ])('is refused and named if it %s', async (_, id, place, by, named) => {
    const seal = await seals.make('proof', { id, run: 'mine' });
    await begun(`proof-${id}`, { ...place, memo: { seal }, by: by() });
    await expect(use(id)).rejects.toMatchObject({ code: 'SLUICE_ACCESS', message: expect.stringContaining(named) });
    await expect(checkUnused(client, id)).rejects.toMatchObject({ code: 'SLUICE_ACCESS' });
  });
});

test('the companion learns that a rollout ended even while the store does not answer', async () => {
  const told = jest.fn(async () => undefined);
  const artifacts = { of: () => ({ putDocument: () => new Promise(() => undefined) }) };
  const { tellCompanion } = light({ client: { workflow: { signalWithStart: told } }, artifacts });
  const spec = canary([], 50);
  const entry = { version: '2', run: 'run', since: 1, by: null, message: null, spec: null, seal: null };
  const event = { kind: 'ended', run: 'run', at: 1, entry, undo: null } as never;
  jest.useFakeTimers();
  try {
    const telling = new MockActivityEnvironment({}).run(() =>
      tellCompanion({ app: 'shop', environment: 'production', event, grant: null, deployed: '2', spec }),
    );
    await jest.advanceTimersByTimeAsync(10_000);
    await telling;
  } finally {
    jest.useRealTimers();
  }
  expect(told).toHaveBeenCalledTimes(1);
});
