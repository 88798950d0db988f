/** A production that somebody has emptied, and that a person takes as it is (`retry --adopt`): the rollout goes on, or back. */
import { context, failure, markOf, type Rollout, Stack } from './stack.js';

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
});
afterAll(() => stack.stop());

/** Somebody has made the site anew: nothing was ever deployed there. */
function empty({ site }: Rollout): void {
  site.production.content.deployments.length = 0;
  site.production.settings = {};
}

/** What the rollout goes by from then on. */
async function adopt(rollout: Rollout): Promise<string> {
  const { revision, split } = await stack.driver().traffic(context(), rollout.spec);
  expect(split).toMatchObject({ stable: null, candidate: null });
  expect(revision).not.toBeNull();
  return revision ?? '';
}

function promote({ spec, release, site }: Rollout, revision: string | null) {
  const fence = { revision, mark: markOf(site, 'promote') };
  return stack.driver().promote(context(), { spec, candidate: release.version, fence });
}

test('an adopted rollout goes on: the candidate becomes what production runs', async () => {
  const rollout = await stack.rollout();
  empty(rollout);
  expect(await failure(promote(rollout, rollout.before.revision))).toMatchObject({ code: 'SLUICE_FOREIGN_CHANGE' });
  const { split } = await promote(rollout, await adopt(rollout));
  expect(split).toEqual({ stable: rollout.release.version, candidate: null, weight: 0 });
  expect(await rollout.site.answer()).toBe(`candidate of ${rollout.site.name}`);
});

test('an adopted rollout rolls back: production runs the stable release again', async () => {
  const rollout = await stack.rollout();
  const { revision: left } = await rollout.promote();
  empty(rollout);
  const back = (lastRevision: string) => rollout.restore('promote', { lastRevision });
  expect(await failure(back(left))).toMatchObject({ code: 'SLUICE_FOREIGN_CHANGE' });
  const { split } = await back(await adopt(rollout));
  expect(split).toEqual(rollout.before.split);
  expect(await rollout.site.answer()).toBe('by hand');
});

test('an adopted rollout rolls back from a share of traffic that no longer applies', async () => {
  const first = await stack.rollout();
  await first.promote();
  const { site } = first;
  const driver = stack.driver();
  const spec = stack.spec(site, { release: { artifact: await stack.pack('second') } });
  const { before } = await driver.inspect(context(), spec);
  const { release } = await driver.deploy(context(), { spec, before, mark: markOf(site, 'deploy') });
  const stable = before.split.stable ?? '';
  empty(first);
  const revision = await adopt(first);
  const fence = { revision, mark: markOf(site, 'shift') };
  const shifting = driver.shift(context(), { spec, stable, candidate: release.version, weight: 10, fence });
  // Final, so that the rollout goes back.
  expect(await failure(shifting)).toMatchObject({ code: 'SLUICE_NOT_FOUND' });
  const attempted = [
    { mark: 'adopted', split: { stable: null, candidate: null, weight: 0 } },
    { mark: fence.mark, split: { stable, candidate: release.version, weight: 10 } },
  ];
  const { split } = await first.restore('shift', { spec, before, attempted, lastRevision: revision });
  expect(split).toEqual(before.split);
  expect(await site.answer()).toBe(`candidate of ${site.name}`);
});
