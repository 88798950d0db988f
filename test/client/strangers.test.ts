/** What a stranger may start under our ids, on task queues of his own or with memos that nobody can read: no client fails at it or believes it. */
import { Client, Connection } from '@temporalio/client';
import { type LocalTemporal, startTemporal } from '../../emulators/temporal.js';
import { connect, type Sluice } from '../../src/client/index.js';
import { companionId, rolloutId, TASK_QUEUE } from '../../src/model/ids.js';
import { unreadable } from '../support/unreadable.js';
import { until } from '../support/until.js';
import { inputFor, QUICK } from './world.js';

let temporal: LocalTemporal;
let connection: Connection;
let client: Client;
let sluice: Sluice;

beforeAll(async () => {
  temporal = await startTemporal({ headless: true });
  connection = await Connection.connect({ address: temporal.address });
  client = new Client({ connection });
  sluice = await connect({ env: { TEMPORAL_ADDRESS: temporal.address } });
});
afterAll(async () => {
  await sluice?.close();
  await connection?.close();
  await temporal?.stop();
});

const target = (app: string) => ({ app, environment: 'production' });
const start = (app: string) =>
  sluice.start({ ...target(app), type: 'direct', input: inputFor(app, QUICK), onNewRelease: 'reject' });

const FORGED = { view: { schema: 1, outcome: 'succeeded', phase: 'done', run: 'forged', events: [], series: [] } };
const OURS = { type: 'direct', taskQueue: TASK_QUEUE };
const THEIRS = { type: 'direct', taskQueue: 'another' };

interface Place {
  type: string;
  taskQueue: string;
}

const begun = (workflowId: string, { type, taskQueue }: Place, memo: object = FORGED, by = client) =>
  by.workflow.start(type, { workflowId, taskQueue, memo: { ...memo } });

/** The kinds of stranger under the id of a rollout. */
const STRANGERS: [string, string, Place, () => Client][] = [
  ['on another task queue', 'elsewhere', THEIRS, () => client],
  ['of another type', 'otherwise', { type: 'theirs', taskQueue: TASK_QUEUE }, () => client],
  ['with an unreadable memo', 'sealed', THEIRS, () => unreadable(connection)],
];

describe.each(STRANGERS)('a workflow %s', (_, kind, place, by) => {
  const name = `workflow ${place.type} on task queue "${place.taskQueue}"`;
  const none = (how: string, app: string) => ({
    code: 'SLUICE_NO_ROLLOUT',
    message: expect.stringContaining(
      `the workflow that ${how} with the id ${rolloutId(app, 'production')} is not a Sluice rollout (${name})`,
    ),
  });

  test('that runs is not a rollout, and is named to whoever queries, decides or starts', async () => {
    const app = `${kind}-runs`;
    await begun(rolloutId(app, 'production'), place, FORGED, by());
    await expect(sluice.status(target(app))).rejects.toMatchObject(none('runs', app));
    await expect(sluice.rollout(target(app))).rejects.toMatchObject(none('runs', app));
    for (const verb of ['approve', 'abort'] as const)
      await expect(sluice.verb(target(app), verb, {})).rejects.toMatchObject(none('runs', app));
    await expect(start(app)).rejects.toMatchObject({
      code: 'SLUICE_ALREADY_RUNNING',
      message: expect.stringMatching(/is not a Sluice rollout .*`temporal workflow terminate --workflow-id /),
    });
  });

  test('that has ended is not trusted, and does not block a start', async () => {
    const app = `${kind}-ended`;
    await (await begun(rolloutId(app, 'production'), place, FORGED, by())).terminate();
    await expect(sluice.status(target(app))).rejects.toMatchObject(none('ran last', app));
    await expect(sluice.rollout(target(app))).rejects.toMatchObject(none('ran last', app));
    expect(await start(app)).toMatchObject({ state: 'started' });
  });
});

test('a rollout with an unreadable memo is queried like any other', async () => {
  await begun(rolloutId('asked', 'production'), OURS, FORGED, unreadable(connection));
  await expect(sluice.status(target('asked'))).rejects.toMatchObject({ code: 'SLUICE_NO_WORKER' });
});

test.each([
  ['forged', () => client],
  ['unreadable', () => unreadable(connection)],
])('the memo of a rollout that none of our workers ended is not trusted (%s)', async (app, by) => {
  const id = rolloutId(app, 'production');
  await (await begun(id, OURS, FORGED, by())).terminate();
  const closed = { outcome: 'failed', reason: expect.stringContaining('closed from outside') };
  expect(await sluice.status(target(app))).toMatchObject({ view: closed });
  expect(await sluice.rollout(target(app))).toMatchObject(closed);
});

const HOLD = { hold: { by: 'eve', since: 1, run: 'run', version: '1', message: null, seal: null } };

test.each([
  ['on another task queue', 'free', { type: 'companion', taskQueue: 'another' }, () => client],
  ['of another type', 'freed', { type: 'theirs', taskQueue: TASK_QUEUE }, () => client],
  ['with an unreadable memo', 'open', { type: 'companion', taskQueue: TASK_QUEUE }, () => unreadable(connection)],
])('a companion %s does not block a start', async (_, app, place, by) => {
  await begun(companionId(app, 'production'), place, HOLD, by());
  expect(await start(app)).toMatchObject({ state: 'started' });
});

test('unhold reports a hold that cannot be read instead of claiming there is none', async () => {
  const place = { type: 'companion', taskQueue: TASK_QUEUE };
  await begun(companionId('doubt', 'production'), place, HOLD, unreadable(connection));
  await expect(sluice.unhold(target('doubt'), {})).rejects.toMatchObject({
    message: expect.stringMatching(/^whether doubt\/production is held cannot be read here: /),
  });
});

test('lists, histories, ledgers and the sweep of the store leave out foreign workflows, and fail on none', async () => {
  const app = 'listed';
  const id = rolloutId(app, 'production');
  await (await begun(id, THEIRS, FORGED, unreadable(connection))).terminate();
  await (await begun(id, OURS, FORGED, unreadable(connection))).terminate();
  await (await begun(id, OURS)).terminate();
  const forged = await begun(companionId(app, 'production'), { type: 'companion', taskQueue: 'another' }, HOLD);
  await begun(rolloutId(app, 'staging'), THEIRS, FORGED, unreadable(connection));
  const last = await begun(rolloutId(app, 'test'), OURS, FORGED, unreadable(connection));
  const list = await until('the list', async () => {
    const found = await sluice.list({ app, all: true });
    return found.length >= 3 && found;
  });
  expect(list.map(({ environment, outcome }) => [environment, outcome])).toEqual([
    ['test', null],
    ['production', 'failed'],
    ['production', 'failed'],
  ]);
  const closed = { outcome: 'failed', reason: expect.stringContaining('closed from outside') };
  expect(await sluice.history(target(app))).toMatchObject([closed, closed]);
  expect(await sluice.releases(app)).toEqual([]);
  const { entries } = await sluice.audit(target(app));
  const foreign = entries.filter(({ kind }) => kind === 'foreign').map(({ rollout }) => rollout);
  expect(foreign).toEqual([id, companionId(app, 'production')]);
  await forged.terminate();
  await last.terminate();
});
