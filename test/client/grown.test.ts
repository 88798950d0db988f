/** Runs that continue as new while people say what is refused: an update that is refused leaves nothing in the history. */
import { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { resultOf } from '../../src/client/index.js';
import { rolloutId } from '../../src/model/ids.js';
import { workflowBundle } from '../support/bundle.js';
import { NEVER, until } from '../support/until.js';
import { inputFor, startWorld, type World } from './world.js';

const APPS = Array.from({ length: 6 }, (_, at) => `grown-${at}`);
const strategy = {
  type: 'canary',
  stages: [
    { weight: '10%', bake: '100ms', approval: { within: '5m' } },
    { weight: '100%', bake: '100ms' },
  ],
};

let world: World;
beforeAll(async () => {
  world = await startWorld({ searchAttributes: true, history: 20 });
});
afterAll(() => world?.stop());

async function refusedOften(app: string): Promise<void> {
  const { sluice } = world;
  const target = { app, environment: 'production' };
  const input = inputFor(app, strategy);
  const { run } = await sluice.start({ ...target, type: 'canary', input, onNewRelease: 'reject', by: 'ann' });
  await until('the approval', async () => (await sluice.status(target)).view?.phase === 'awaitingApproval');
  for (let at = 0; at < 8; at += 1) {
    await expect(sluice.verb(target, 'skip', { by: 'bob' })).rejects.toThrow('skip is not possible');
  }
  await sluice.verb(target, 'approve', { stage: '10%', by: 'carl' });
  const signal = AbortSignal.timeout(NEVER);
  const { view } = await sluice.wait(target, 'done', { run: run ?? '', signal });
  expect(view).toMatchObject({ outcome: 'succeeded' });
}

test('a rolled-back rollout is found by its first run, even if a newer rollout has its id', async () => {
  const target = { app: 'grown-back', environment: 'production' };
  await world.withWorkers(async () => {
    const input = inputFor(target.app, strategy);
    const begin = () => world.sluice.start({ ...target, type: 'canary', input, onNewRelease: 'reject', by: 'ann' });
    for (const end of ['abort', 'cancel'] as const) {
      const { run } = await begin();
      const handle = new Client({ connection: world.raw }).workflow.getHandle('grown-back/production', run ?? '');
      await until('the approval', async () => (await world.sluice.status(target)).view?.phase === 'awaitingApproval');
      expect((await handle.describe()).status.name).toBe('CONTINUED_AS_NEW');
      if (end === 'abort') await world.sluice.verb(target, 'abort', { by: 'ann', comment: 'wrong version' });
      else await new Client({ connection: world.raw }).workflow.getHandle('grown-back/production').cancel();
      await world.sluice.wait(target, 'done', { run: run ?? '' });
      await begin();
      const seen = { outcome: 'rolledBack', run };
      const reason = end === 'abort' ? 'aborted by ann: wrong version' : 'canceled through Temporal';
      expect(await world.sluice.rollout(target, run ?? '')).toMatchObject({ ...seen, reason });
      // The server closes as Canceled only the run that was canceled, and another goes on from it.
      expect(await resultOf(handle)).toMatchObject({ ...seen, reason });
      const next = await world.sluice.status(target);
      await world.sluice.verb(target, 'abort', { by: 'ann' });
      await world.sluice.wait(target, 'done', { run: next.view?.run ?? '' });
    }
  });
});

test('a rollout ends as it otherwise would, and each of its runs is what its history says', async () => {
  const histories: { id: string; history: object }[] = [];
  await world.withWorkers(async () => {
    await Promise.all(APPS.map(refusedOften));
    const { workflowService } = world.raw;
    for (const app of APPS) {
      const { executions } = await until(`the list of ${app}`, async () => {
        const query = `WorkflowId = '${rolloutId(app, 'production')}'`;
        const found = await workflowService.listWorkflowExecutions({ namespace: 'default', query });
        return (found.executions ?? []).length > 1 ? found : null;
      });
      for (const { execution } of executions ?? []) {
        if (execution == null) continue;
        const { history } = await workflowService.getWorkflowExecutionHistory({ namespace: 'default', execution });
        if (history != null) histories.push({ id: execution.workflowId ?? '', history });
      }
    }
  });
  expect(histories.length).toBeGreaterThan(2 * APPS.length);
  for (const { id, history } of histories) {
    await Worker.runReplayHistory(workflowBundle(), JSON.parse(historyToJSON(history as never)), id);
  }
});
