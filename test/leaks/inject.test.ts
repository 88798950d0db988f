/** That the search of the leak test finds: a leak is put in on purpose, in each place in turn, as by `npm run leaks -- --inject`. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../support/tools.js';
import { inject } from './inject.js';
import { startWorld, type World } from './world.js';

const folder = path.join(ROOT, '.sluice', 'leaks', `inject-${process.pid}`);
let world: World;

beforeAll(async () => {
  world = await startWorld(folder);
}, 60_000);

afterAll(async () => {
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('a leak on purpose is found at each place', async () => {
  const injected = await inject(world);
  expect(injected.length).toBeGreaterThan(30);
  expect(injected.filter(({ form }) => form === null)).toEqual([]);
}, 120_000);
