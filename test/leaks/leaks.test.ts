/** CI's part of the leak test; `npm run leaks -- --all` plays every strategy, on both platforms, in every way to end. */
import { playRound } from './round.js';
import { lanesOf } from './scenarios.js';
import { withWorld } from './world.js';

// That the search finds what is there: `search.test.ts`, and `inject.test.ts` at each place.
test('no secret, key or token shows anywhere', async () => {
  const { leaks, faults } = await withWorld('ci', (world) => playRound(world, lanesOf(false)));
  // What is named holds no value.
  expect({ leaks, faults }).toEqual({ leaks: [], faults: [] });
});
