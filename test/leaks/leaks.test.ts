/** CI's part of the leak test; `npm run leaks -- --all` plays every strategy, on both platforms, in every way to end. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../support/tools.js';
import { playRound } from './round.js';
import { lanesOf } from './scenarios.js';
import { startWorld, type World } from './world.js';

const folder = path.join(ROOT, '.sluice', 'leaks', `ci-${process.pid}`);
let world: World;

beforeAll(async () => {
  world = await startWorld(folder);
}, 60_000);

afterAll(async () => {
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

// That the search finds what is there: `search.test.ts`, and `inject.test.ts` at each place.
test('no secret, key or token shows anywhere', async () => {
  const { leaks, faults } = await playRound(world, lanesOf(false));
  // What is named holds no value.
  expect({ leaks, faults }).toEqual({ leaks: [], faults: [] });
}, 180_000);
