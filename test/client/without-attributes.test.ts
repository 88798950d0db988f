import { until } from '../support/until.js';
import { inputFor, LONG, startWorld, type World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await startWorld({ searchAttributes: false });
});
afterAll(async () => {
  await world.stop();
});

test('without search attributes the list queries the rollouts themselves', () =>
  world.withWorkers(async () => {
    const target = { app: 'plain', environment: 'production' };
    await world.sluice.start({ ...target, type: 'direct', input: inputFor('plain', LONG), onNewRelease: 'reject' });
    const list = await until('the list', async () => {
      const found = await world.sluice.list({ phase: 'baking' });
      return found.length > 0 && found;
    });
    expect(list).toMatchObject([{ ...target, phase: 'baking', weight: 100, strategy: 'direct' }]);
    expect(await world.sluice.list({ phase: 'paused' })).toEqual([]);
    // Without asking, the phase is not known, and the list says so.
    expect(await world.sluice.list({})).toMatchObject([{ ...target, phase: null }]);
    await world.sluice.verb(target, 'abort', { by: 'ann' });
    await world.sluice.wait(target, 'done');
  }));
