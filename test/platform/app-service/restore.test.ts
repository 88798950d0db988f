import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { rulesOf } from '../../../emulators/azure/index.js';
import { context, failure, markOf, Stack } from './stack.js';

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
});
afterAll(() => stack.stop());
afterEach(() => {
  stack.faults.clear();
});

test('users whom the cookie keeps on the slot get the stable release there', async () => {
  const rollout = await stack.rollout({ configuration: { environment: { FLAG: 'new' } } });
  await rollout.shift(10);
  const written = await rollout.restore('shift');
  const { staging, arm } = rollout.site;
  expect(written).toMatchObject({ split: rollout.before.split });
  expect(written.remarks).toBeUndefined();
  expect(rulesOf(arm)).toEqual([]);
  expect(staging.settings).toEqual({ SLUICE_RELEASE: rollout.stable, SLUICE_SETTINGS: '' });
});

test('if that fails, the slot is kept and the rollout says so', async () => {
  const rollout = await stack.rollout();
  await rollout.shift(10);
  stack.faults.set([{ operations: ['Publish'], times: 9, effect: { status: 500 } }]);
  const { split, remarks } = await rollout.restore('shift');
  expect(split).toEqual(rollout.before.split);
  expect(remarks).toEqual([expect.stringMatching(/cookie x-ms-routing-name.*the slot is kept/)]);
  expect(rollout.site.staging.running).toBe(true);
});

test('a slot that never had users is left alone', async () => {
  const rollout = await stack.rollout();
  await rollout.restore('promote', { attempted: [] });
  expect(rollout.site.staging.settings.SLUICE_RELEASE).toBe(rollout.release.version);
});

test('a running swap is waited for, and then undone once', async () => {
  const rollout = await stack.rollout();
  stack.faults.set([
    { operations: ['SwapSlot'], times: 1, effect: { lost: true } },
    { operations: ['Swap'], times: 1, effect: { heldMs: 1_000 } },
  ]);
  await failure(rollout.promote());
  const { split } = await rollout.restore('promote');
  expect(split).toEqual(rollout.before.split);
  expect(await rollout.site.answer()).toBe('by hand');
  expect(rollout.answers('SwapSlot')).toEqual([202, 202]);
});

test('an operation that does not end is waited for on every attempt, and reported', async () => {
  const rollout = await stack.rollout();
  rollout.site.operates('hangs');
  expect(await failure(rollout.restore('promote', { attempted: [] }))).toMatchObject({
    code: 'SLUICE_BUSY',
    message: expect.stringContaining('does not end (hangs)'),
  });
});

test('a half-done swap is reset', async () => {
  const rollout = await stack.rollout();
  rollout.site.prepare();
  await rollout.restore('promote', { attempted: [] });
  expect(rollout.site.arm.prepared).toBeNull();
});

test('direct without a slot publishes to production, and publishes the earlier package to roll back', async () => {
  const site = await stack.site();
  site.production.settings = { FLAG: 'old', DB: 'of the site' };
  const driver = stack.driver();
  const spec = stack.spec(
    site,
    {
      strategy: { type: 'direct', bake: 0 },
      release: { artifact: await stack.pack('new') },
      configuration: { environment: { FLAG: 'new' } },
    },
    {},
  );
  const { before } = await driver.inspect(context(), spec);
  expect(before.split.stable).toMatch(/^f-/);
  const { release } = await driver.deploy(context(), { spec, before, mark: markOf(site, 'deploy') });
  expect(await site.answer()).toBe('by hand');
  const fence = { revision: before.revision, mark: markOf(site, 'promote') };
  const written = await driver.promote(context(), { spec, candidate: release.version, fence });
  expect(written.split.stable).toBe(release.version);
  expect(await site.answer()).toBe('new');
  expect(site.production.settings).toMatchObject({ FLAG: 'new', DB: 'of the site' });
  const back = await driver.restore(context(), {
    spec,
    before,
    attempted: [{ mark: fence.mark, split: written.split }],
    lastRevision: written.revision,
    mark: markOf(site, 'restore'),
    force: false,
  });
  expect(back.split).toEqual(before.split);
  expect(site.production.settings).toMatchObject({ FLAG: 'old', DB: 'of the site' });
});

test('a kept package that someone changed is not published', async () => {
  const site = await stack.site();
  const driver = stack.driver();
  const strategy = { type: 'direct' as const, bake: 0 };
  const spec = stack.spec(site, { strategy, release: { artifact: await stack.pack('new') } }, {});
  const { before } = await driver.inspect(context(), spec);
  const { release } = await driver.deploy(context(), { spec, before, mark: markOf(site, 'deploy') });
  const fence = { revision: before.revision, mark: markOf(site, 'promote') };
  const { split, revision } = await driver.promote(context(), { spec, candidate: release.version, fence });
  const kept = path.join(site.home(site.production), 'data', 'sluice', `${before.split.stable}.zip`);
  copyFileSync(kept.replace(`${before.split.stable}`, release.version), kept);
  const args = { spec, before, lastRevision: revision, mark: markOf(site, 'restore'), force: false };
  const error = await failure(driver.restore(context(), { ...args, attempted: [{ mark: fence.mark, split }] }));
  expect(error).toMatchObject({ code: 'SLUICE_ARTIFACT', message: expect.stringContaining('was changed') });
  expect(await site.answer()).toBe('new');
});

test('rolling back a first direct release leaves production empty', async () => {
  const site = await stack.site({ empty: true });
  const driver = stack.driver();
  const strategy = { type: 'direct' as const, bake: 0 };
  const spec = stack.spec(site, { strategy, release: { artifact: await stack.pack('first') } }, {});
  const { before } = await driver.inspect(context(), spec);
  const { release } = await driver.deploy(context(), { spec, before, mark: markOf(site, 'deploy') });
  const fence = { revision: null, mark: markOf(site, 'promote') };
  const { split } = await driver.promote(context(), { spec, candidate: release.version, fence });
  expect(await site.answer()).toBe('first');
  const args = { spec, before, lastRevision: null, mark: markOf(site, 'restore'), force: false };
  await driver.restore(context(), { ...args, attempted: [{ mark: fence.mark, split }] });
  expect(await site.answer()).not.toBe('first');
  expect((await driver.inspect(context(), spec)).before.split.stable).toBeNull();
});

test('content that someone else deploys during the rollout is a foreign change', async () => {
  const rollout = await stack.rollout();
  rollout.site.deployedOutside();
  expect((await failure(rollout.promote())).code).toBe('SLUICE_FOREIGN_CHANGE');
  expect((await failure(rollout.restore('promote'))).code).toBe('SLUICE_FOREIGN_CHANGE');
});
