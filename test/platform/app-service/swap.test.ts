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

test('if a worker dies after a swap is accepted, another one takes over, and the swap is sent once', async () => {
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

test('a swap that failed meanwhile is reported as failed, and not retried', async () => {
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

test('a swap that the server never received is sent by the next worker', async () => {
  const rollout = await stack.rollout();
  stack.faults.set([{ operations: ['Swap'], times: 1, effect: { heldMs: 1000 } }]);
  await expect(rollout.promote(dying({}))).rejects.toMatchObject({ name: 'AbortError' });
  expect((await rollout.promote()).split.stable).toBe(rollout.release.version);
  expect(rollout.answers('SwapSlot')).toEqual([202]);
});

test('a swap that ended and whose operation is forgotten is recognized by the next worker', async () => {
  const rollout = await stack.rollout();
  const told: { details?: unknown } = {};
  await expect(rollout.promote(dying(told))).rejects.toMatchObject({ name: 'AbortError' });
  stack.faults.set([{ operations: ['GetOperation'], times: 1, effect: { status: 404 } }]);
  expect((await rollout.promote(context({ lastHeartbeat: () => told.details }))).split.stable).toBe(
    rollout.release.version,
  );
  expect(rollout.answers('SwapSlot')).toEqual([202]);
});

test('a swap that lands after the restore is undone, even if no worker waits for it any more', async () => {
  const rollout = await stack.rollout();
  stack.faults.set([{ operations: ['SwapSlot'], times: 1, effect: { heldMs: 1_000 } }]);
  const frozen = rollout.promote(dying({}));
  const ended = expect(frozen).rejects.toMatchObject({ name: 'AbortError' });
  await until('the swap to be on its way', () => stack.faults.struck() === 1);
  // A swap that lands within a try is in its way (409), and the next try takes it back.
  await until('the restore', () =>
    rollout.restore('promote').then(
      () => true,
      (error: unknown) => {
        expect(error).toMatchObject({ code: 'SLUICE_BUSY' });
        return false;
      },
    ),
  );
  expect(rollout.site.production.settings.SLUICE_RELEASE).toBeUndefined();
  await ended;
  expect(rollout.answers('SwapSlot')).toEqual([202, 202]);
  expect(rollout.site.production.settings.SLUICE_RELEASE).toBeUndefined();
});

test('a swap whose response was lost is recognized by the releases, and not sent again', async () => {
  const rollout = await stack.rollout();
  stack.faults.set([{ operations: ['SwapSlot'], times: 1, effect: { lost: true } }]);
  expect((await failure(rollout.promote())).code).toBe('SLUICE_PROVIDER');
  expect((await rollout.promote()).split.stable).toBe(rollout.release.version);
  expect(rollout.answers('SwapSlot')).toEqual([202]);
});

test.each([500, 503, 429])('a swap answered with %i is sent once per attempt', async (status) => {
  const rollout = await stack.rollout();
  stack.faults.set([{ operations: ['SwapSlot'], times: 9, effect: { status, headers: { 'retry-after': '7' } } }]);
  const error = await failure(rollout.promote());
  expect(stack.faults.struck()).toBe(1);
  expect(error.retryAfterMs).toBe(7_000);
});

test('another operation in progress is waited for', async () => {
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

test('a swap that someone left half done is reset on both slots, and done completely', async () => {
  const rollout = await stack.rollout();
  stack.faults.set([
    { operations: ['SwapSlot'], times: 1, effect: conflict('The configuration settings have been prepared for swap.') },
  ]);
  expect((await rollout.promote()).split.stable).toBe(rollout.release.version);
  expect([rollout.answers('ResetSlotConfig'), rollout.answers('ResetSlotConfigSlot')]).toEqual([[200], [200]]);
});

test("the slot is checked with production's settings before the exchange; if that fails, everything is reset", async () => {
  const rollout = await stack.rollout();
  rollout.site.breakSlot();
  const error = await failure(rollout.promote());
  expect(error).toMatchObject({ code: 'SLUICE_PROBE', message: expect.stringContaining('gave status 503') });
  expect(rollout.answers('ApplySlotConfigSlot')).toEqual([200]);
  expect(rollout.answers('SwapSlot')).toEqual([]);
  expect(rollout.site.arm.prepared).toBeNull();
});

test('with site authentication the swap is done without a preview', async () => {
  const rollout = await stack.rollout();
  rollout.site.signsIn();
  expect((await rollout.promote()).split.stable).toBe(rollout.release.version);
  expect(rollout.answers('ApplySlotConfigSlot')).toEqual([]);
});

test("a failed warm-up keeps the platform's message, and leaves no half-done swap behind", async () => {
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

test('what is kept for the next worker contains no token', async () => {
  const rollout = await stack.rollout();
  const told: unknown[] = [];
  await rollout.promote(context({ heartbeat: (details) => details !== undefined && told.push(details) }));
  expect(told).toHaveLength(1);
  expect(JSON.stringify(told)).not.toMatch(/token|bearer/i);
});
