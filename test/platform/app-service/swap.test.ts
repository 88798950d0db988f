import type { CallContext } from '../../../src/platforms/port.js';
import { until } from '../../support/until.js';
import { context, failure, Stack } from './stack.js';

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
});
afterAll(() => stack.stop());
afterEach(() => {
  stack.faults.clear();
});

const conflict = (Message: string) => ({ status: 409, body: { Code: 'Conflict', Message } });

/** A worker that dies as soon as the swap is accepted; `told`: whether the server heard of it. */
function dying(told: { details?: unknown }): CallContext {
  const death = new AbortController();
  return context({
    signal: death.signal,
    heartbeat: (details) => {
      if (details === undefined) return;
      told.details = details;
      death.abort();
    },
  });
}

test('a worker that dies between the acceptance and the end is followed by another, and the swap is sent once', async () => {
  const rollout = await stack.rollout();
  stack.faults.set([{ operations: ['Swap'], times: 1, effect: { heldMs: 1000 } }]);
  const told: { details?: unknown } = {};
  await expect(rollout.promote(dying(told))).rejects.toMatchObject({ name: 'AbortError' });
  expect(rollout.site.arm.operation).not.toBeNull();
  stack.faults.add([{ operations: ['GetOperation'], times: 99, effect: { heldMs: 1 } }]);
  const next = context({ lastHeartbeat: () => told.details });
  expect((await rollout.promote(next)).split.stable).toBe(rollout.release.version);
  expect(stack.faults.struck()).toBeGreaterThan(0);
  expect(rollout.answers('SwapSlot')).toEqual([202]);
});

test('one that failed meanwhile is told as it failed, and not tried again', async () => {
  const rollout = await stack.rollout();
  stack.faults.set([
    { operations: ['Swap'], times: 1, effect: { fails: 'the worker process for the slot could not be started' } },
  ]);
  const told: { details?: unknown } = {};
  await expect(rollout.promote(dying(told))).rejects.toMatchObject({ name: 'AbortError' });
  const error = await failure(rollout.promote(context({ lastHeartbeat: () => told.details })));
  expect(error.message).toContain('the worker process for the slot could not be started');
  expect(rollout.answers('SwapSlot')).toEqual([202]);
  expect(rollout.site.arm.prepared).toBeNull();
});

test('so is one that dies before the server has heard of the swap', async () => {
  const rollout = await stack.rollout();
  stack.faults.set([{ operations: ['Swap'], times: 1, effect: { heldMs: 1000 } }]);
  await expect(rollout.promote(dying({}))).rejects.toMatchObject({ name: 'AbortError' });
  expect((await rollout.promote()).split.stable).toBe(rollout.release.version);
  expect(rollout.answers('SwapSlot')).toEqual([202]);
});

test('so is one whose swap has ended, and whose operation nobody knows any more', async () => {
  const rollout = await stack.rollout();
  const told: { details?: unknown } = {};
  await expect(rollout.promote(dying(told))).rejects.toMatchObject({ name: 'AbortError' });
  stack.faults.set([{ operations: ['GetOperation'], times: 1, effect: { status: 404 } }]);
  expect((await rollout.promote(context({ lastHeartbeat: () => told.details }))).split.stable).toBe(
    rollout.release.version,
  );
  expect(rollout.answers('SwapSlot')).toEqual([202]);
});

test('a swap that lands after the restore is taken back, also when nobody waits for it any more', async () => {
  const rollout = await stack.rollout();
  stack.faults.set([{ operations: ['SwapSlot'], times: 1, effect: { heldMs: 1_000 } }]);
  const frozen = rollout.promote(dying({}));
  const ended = expect(frozen).rejects.toMatchObject({ name: 'AbortError' });
  await until('the swap to be on its way', () => stack.faults.struck() === 1);
  await rollout.restore('promote');
  expect(rollout.site.production.settings.SLUICE_RELEASE).toBeUndefined();
  await ended;
  expect(rollout.answers('SwapSlot')).toEqual([202, 202]);
  expect(rollout.site.production.settings.SLUICE_RELEASE).toBeUndefined();
});

test('a swap whose answer was lost is found by the releases, and not sent again', async () => {
  const rollout = await stack.rollout();
  stack.faults.set([{ operations: ['SwapSlot'], times: 1, effect: { lost: true } }]);
  expect((await failure(rollout.promote())).code).toBe('SLUICE_PROVIDER');
  expect((await rollout.promote()).split.stable).toBe(rollout.release.version);
  expect(rollout.answers('SwapSlot')).toEqual([202]);
});

test.each([500, 503, 429])('a swap that is answered %i is sent once a try', async (status) => {
  const rollout = await stack.rollout();
  stack.faults.set([{ operations: ['SwapSlot'], times: 9, effect: { status, headers: { 'retry-after': '7' } } }]);
  const error = await failure(rollout.promote());
  expect(stack.faults.struck()).toBe(1);
  expect(error.retryAfterMs).toBe(7_000);
});

test('an operation that is in the way is waited for', async () => {
  const rollout = await stack.rollout();
  stack.faults.set([
    {
      operations: ['SwapSlot'],
      times: 1,
      effect: conflict('Cannot modify this site because another operation is in progress.'),
    },
  ]);
  expect((await rollout.promote()).split.stable).toBe(rollout.release.version);
  expect(rollout.answers('SwapSlot')).toEqual([202]);
});

test('a swap that somebody left half done is reset on both slots, and done whole', async () => {
  const rollout = await stack.rollout();
  stack.faults.set([
    { operations: ['SwapSlot'], times: 1, effect: conflict('The configuration settings have been prepared for swap.') },
  ]);
  expect((await rollout.promote()).split.stable).toBe(rollout.release.version);
  expect([rollout.answers('ResetSlotConfig'), rollout.answers('ResetSlotConfigSlot')]).toEqual([[200], [200]]);
});

test('the slot is looked at with the settings of production before the exchange; when it fails, all is reset', async () => {
  const rollout = await stack.rollout();
  rollout.site.breakSlot();
  const error = await failure(rollout.promote());
  expect(error).toMatchObject({ code: 'SLUICE_PROBE', message: expect.stringContaining('gave status 503') });
  expect(rollout.answers('ApplySlotConfigSlot')).toEqual([200]);
  expect(rollout.answers('SwapSlot')).toEqual([]);
  expect(rollout.site.arm.prepared).toBeNull();
});

test('with site authentication there is no preview, and the swap is done in one go', async () => {
  const rollout = await stack.rollout();
  rollout.site.signsIn();
  expect((await rollout.promote()).split.stable).toBe(rollout.release.version);
  expect(rollout.answers('ApplySlotConfigSlot')).toEqual([]);
});

test("a warm-up that fails keeps the platform's words, and leaves no half of a swap behind", async () => {
  const rollout = await stack.rollout();
  stack.faults.set([
    {
      operations: ['Swap'],
      times: 1,
      effect: { fails: 'Cannot swap: the application initialization for the slot took too long or failed' },
    },
  ]);
  const error = await failure(rollout.promote());
  expect(error.code).toBe('SLUICE_REFUSED');
  expect(error.message).toContain('Cannot swap: the application initialization for the slot took too long or failed');
  expect(rollout.site.arm.prepared).toBeNull();
  expect(await rollout.site.answer()).toBe('by hand');
});

test('what is kept for the next worker holds no token', async () => {
  const rollout = await stack.rollout();
  const told: unknown[] = [];
  await rollout.promote(context({ heartbeat: (details) => details !== undefined && told.push(details) }));
  expect(told).toHaveLength(1);
  expect(JSON.stringify(told)).not.toMatch(/token|bearer/i);
});
