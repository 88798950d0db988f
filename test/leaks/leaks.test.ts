/** CI's part of the leak test; `npm run leaks -- --all` plays every strategy, on both platforms, in every way to end. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../support/tools.js';
import { inject } from './inject.js';
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

// One after the other: the leaks on purpose would be found by the first.
test('no secret, key or token shows anywhere, and one that is put there on purpose is found at each place', async () => {
  const { leaks, faults } = await playRound(world, lanesOf(false));
  // What is named holds no value.
  expect({ leaks, faults }).toEqual({ leaks: [], faults: [] });
  const missed = (await inject(world)).filter(({ form }) => form === null);
  expect(missed).toEqual([]);
}, 180_000);
