/** An abort is heard or left as a signal, whatever state the run's tasks are in; and each failure is told as what it is. */
import { randomBytes } from 'node:crypto';
import { Client } from '@temporalio/client';
import { connect } from '../../src/client/index.js';
import { rolloutId } from '../../src/model/ids.js';
import { until } from '../support/until.js';
import { inputFor, LONG, startWorld, type World } from './world.js';

const [OWN, OTHER] = ['own', 'other'].map((id) => `${id}:${randomBytes(32).toString('base64')}`) as [string, string];
/** Signals that a run may have. */
const SIGNALS = 5;

let world: World;
beforeAll(async () => {
  world = await startWorld({
    searchAttributes: false,
    codecKeys: OWN,
    dynamicConfig: { 'history.maximumSignalsPerExecution': SIGNALS },
  });
});
afterAll(() => world?.stop());

const target = (app: string) => ({ app, environment: 'production' });

const anybody = (app: string) => new Client({ connection: world.raw }).workflow.getHandle(rolloutId(app, 'production'));

const start = (app: string) =>
  world.sluice.start({ ...target(app), type: 'direct', input: inputFor(app, LONG), onNewRelease: 'reject' });

/** Rollouts that bake, then a worker without their key: from then on their tasks fail. */
async function withFailingTasks<T>(apps: string[], play: () => Promise<T>): Promise<T> {
  await world.withWorkers(async () => {
    for (const app of apps) await start(app);
    for (const app of apps)
      await until('the bake', async () => (await world.sluice.status(target(app))).view?.phase === 'baking');
  });
  return world.withWorkers(async () => {
    for (const app of apps) {
      for (let at = 1; at < SIGNALS; at += 1) await anybody(app).signal('nonsense');
      await until(`the tasks of ${app} to fail`, async () => {
        const why = await world.sluice.status(target(app)).catch((error: Error) => error.message);
        return typeof why === 'string' && why.includes("a worker is running but fails this rollout's tasks");
      });
    }
    return play();
  }, OTHER);
}

// In one test, since the server takes its time between two tries of a task that fails.
test('an abort of a rollout whose tasks fail is left as a signal, or retried until it is answered', async () => {
  const { answering } = await withFailingTasks(['failing', 'crowded'], async () => {
    await expect(world.sluice.verb(target('failing'), 'skip', { by: 'ann' })).rejects.toMatchObject({
      code: 'SLUICE_NO_WORKER',
      message: expect.stringMatching(/^skip of failing\/production was not answered: .* fails this rollout's tasks/),
    });
    await expect(world.sluice.verb(target('failing'), 'abort', { by: 'ann' })).rejects.toMatchObject({
      code: 'SLUICE_NO_WORKER',
      message: expect.stringMatching(
        /^abort of failing\/production was delivered as a signal .* fails this rollout's tasks/,
      ),
    });
    // One more, and the server takes no other signal of this run.
    await anybody('crowded').signal('nonsense');
    await expect(anybody('crowded').signal('nonsense')).rejects.toThrow();
    const answering = world.sluice.verb(target('crowded'), 'abort', { by: 'ann' });
    answering.catch(() => undefined);
    return { answering };
  });
  await world.withWorkers(async () => {
    await expect(answering).resolves.toMatchObject({ verb: 'abort' });
    for (const app of ['failing', 'crowded']) {
      const { view } = await world.sluice.wait(target(app), 'done');
      expect(view).toMatchObject({ outcome: 'rolledBack', reason: 'aborted by ann' });
    }
  });
});

test('a missing namespace is not reported as an unreachable server', async () => {
  const sluice = await connect({
    env: { TEMPORAL_ADDRESS: world.temporal.address, TEMPORAL_NAMESPACE: 'nowhere', SLUICE_CODEC_KEYS: OWN },
  });
  const none = {
    code: 'SLUICE_SETUP',
    message: expect.stringMatching(/has no namespace nowhere; set TEMPORAL_NAMESPACE/),
  };
  try {
    const lost = { ...target('lost'), type: 'direct' as const, input: inputFor('lost', LONG) };
    await expect(sluice.list({})).rejects.toMatchObject(none);
    await expect(sluice.status(target('lost'))).rejects.toMatchObject(none);
    await expect(sluice.verb(target('lost'), 'abort', { by: 'ann' })).rejects.toMatchObject(none);
    await expect(sluice.start({ ...lost, onNewRelease: 'reject' })).rejects.toMatchObject(none);
    await expect(sluice.start({ ...lost, onNewRelease: 'queue' })).rejects.toMatchObject(none);
    await expect(sluice.releases('lost', 'production')).rejects.toMatchObject(none);
    await expect(sluice.approvals()).rejects.toMatchObject(none);
  } finally {
    await sluice.close();
  }
});
