/** That the search of the leak test finds: a leak is put in on purpose, in each place in turn, as by `npm run leaks -- --inject`. */
import { inject } from '../leaks/inject.js';
import { withWorld } from '../leaks/world.js';

test('a deliberate leak is found in each place', async () => {
  const injected = await withWorld('inject', inject);
  expect(injected.length).toBeGreaterThan(30);
  expect(injected.filter(({ form }) => form === null)).toEqual([]);
});
