/** Keys come and change while a rollout runs, and a worker may have the wrong ones. */
import { randomBytes } from 'node:crypto';
import { connect, type Sluice } from '../../src/client/index.js';
import { codecOf } from '../../src/codec/index.js';
import { rolloutId } from '../../src/model/ids.js';
import { GATED, inputFor, startWorld, type World } from '../client/world.js';
import { until } from '../support/until.js';

const [OLD, NEW] = ['old', 'new'].map((id) => `${id}:${randomBytes(32).toString('base64')}`) as [string, string];
const target = (app: string) => ({ app, environment: 'production' });

let world: World;
beforeAll(async () => {
  world = await startWorld({ searchAttributes: false, codecKeys: OLD });
});
afterAll(() => world.stop());

async function withKeys<T>(codecKeys: string | undefined, play: (sluice: Sluice) => Promise<T>): Promise<T> {
  const sluice = await connect({ env: { TEMPORAL_ADDRESS: world.temporal.address, SLUICE_CODEC_KEYS: codecKeys } });
  try {
    return await play(sluice);
  } finally {
    await sluice.close();
  }
}

const begin = (sluice: Sluice, app: string) =>
  sluice.start({ ...target(app), type: 'canary', input: inputFor(app, GATED), onNewRelease: 'reject' });

test('a rollout that started unencrypted continues under a key, and ends under the next one', async () => {
  const rotated = `${NEW},${OLD}`;
  await withKeys(undefined, (sluice) => begin(sluice, 'rotated'));
  await world.withWorkers(() =>
    until('the approval', async () => {
      const { view } = await world.sluice.status(target('rotated'));
      return view?.phase === 'awaitingApproval';
    }),
  );
  await withKeys(rotated, (sluice) =>
    world.withWorkers(async () => {
      // Who has not the key cannot know whether an approval is open, and hears that.
      const mine = ({ app }: { app: string }) => app === 'rotated';
      const hidden = await until('the approval to be listed', async () =>
        (await world.sluice.approvals()).unasked.find(mine),
      );
      expect(hidden).toMatchObject({ ...target('rotated'), code: 'SLUICE_SETUP' });
      const { open, unasked } = await sluice.approvals();
      expect([open.filter(mine), unasked.filter(mine)]).toMatchObject([[target('rotated')], []]);
      await sluice.verb(target('rotated'), 'approve', { stage: '10%', by: 'ann' });
      expect((await sluice.wait(target('rotated'), 'done')).view?.outcome).toBe('succeeded');
    }, rotated),
  );
  await expect(world.sluice.status(target('rotated'))).rejects.toThrow(
    'the key "new" and this process has the keys old',
  );
});

test('a worker without the key of a running rollout leaves it alone and says so; one with the key continues', async () => {
  await begin(world.sluice, 'waiting');
  await world.withWorkers(() =>
    until('the approval', async () => {
      const { view } = await world.sluice.status(target('waiting'));
      return view?.phase === 'awaitingApproval';
    }),
  );
  await world.raw.workflowService.signalWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: rolloutId('waiting', 'production') },
    signalName: 'pause',
  });
  const execution = { workflowId: rolloutId('waiting', 'production') };
  const events = async () => {
    const { workflowService } = world.raw;
    const { history } = await workflowService.getWorkflowExecutionHistory({ namespace: 'default', execution });
    return history?.events ?? [];
  };
  const scheduled = async () => (await events()).filter((event) => event.activityTaskScheduledEventAttributes != null);
  const before = (await scheduled()).length;
  const failure = await world.withWorkers(
    () =>
      until('the failure', async () => {
        const [failed] = (await events()).flatMap((event) => event.workflowTaskFailedEventAttributes ?? []);
        return failed?.failure;
      }),
    NEW,
  );
  const [said] = await codecOf({ SLUICE_CODEC_KEYS: NEW }).decode([failure.encodedAttributes ?? {}]);
  expect(Buffer.from(said?.data ?? []).toString()).toContain(
    'under the key \\"old\\" and this process has the keys new',
  );
  expect(await scheduled()).toHaveLength(before);
  await world.withWorkers(async () => {
    // Answered, or left as a signal while the server still waits before it gives the task that has failed to anybody.
    const said = await world.sluice.verb(target('waiting'), 'abort', { by: 'ann' }).catch((error: Error) => error);
    expect(said.message).toMatch(/rolling back|was delivered as a signal/);
    expect((await world.sluice.wait(target('waiting'), 'done')).view?.outcome).toBe('rolledBack');
  });
});
