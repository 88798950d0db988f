/** CI's part of the leak test; `npm run leaks -- --all` plays every strategy, on both platforms, in every way to end. */
import { playRound } from '../leaks/round.js';
import { lanesOf } from '../leaks/scenarios.js';
import { withWorld } from '../leaks/world.js';

// That the search finds what is there: `test/leaks/search.test.ts`, and `leaks-inject.test.ts` at each place.
test('no secret, key or token appears anywhere', async () => {
  const { leaks, faults } = await withWorld('ci', (world) => playRound(world, lanesOf(false)));
  // What is named holds no value.
  expect({ leaks, faults }).toEqual({ leaks: [], faults: [] });
});
