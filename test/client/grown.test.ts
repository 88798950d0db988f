/** Runs that continue as new while people say what is refused: an update that is refused leaves nothing in the history. */
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
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

test('a rollout ends as it would, and every run of it is what its history says', async () => {
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
