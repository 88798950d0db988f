import type { CallContext } from '../../../activities/platform/platform.js';
import { until } from '../../support/until.js';
import { context, failure, Stack } from './stack.js';

let stack: Stack;
beforeAll(() => {
  stack = new Stack();
});
afterAll(() => stack.stop());
afterEach(() => {
  stack.cloud.faults.clear();
  stack.cloud.swapMs = 50;
});

const conflict = (Message: string) => ({ reply: { status: 409, body: { Code: 'Conflict', Message } } });

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
  stack.cloud.swapMs = 1_000;
  const rollout = await stack.rollout();
  const told: { details?: unknown } = {};
  await expect(rollout.promote(dying(told))).rejects.toMatchObject({ name: 'AbortError' });
  expect(rollout.site.operation).not.toBeNull();
  stack.cloud.faults.set(['GetOperation'], 99, { held: 1 });
  const next = context({ lastHeartbeat: () => told.details });
  expect((await rollout.promote(next)).split.stable).toBe(rollout.release.version);
  expect(stack.cloud.faults.struck).toBeGreaterThan(0);
  expect(rollout.answers('SwapSlot')).toEqual([202]);
});

test('one that failed meanwhile is told as it failed, and not tried again', async () => {
  const rollout = await stack.rollout();
  rollout.site.failsToSwap = 'the worker process for the slot could not be started';
  const told: { details?: unknown } = {};
  await expect(rollout.promote(dying(told))).rejects.toMatchObject({ name: 'AbortError' });
  const error = await failure(rollout.promote(context({ lastHeartbeat: () => told.details })));
  expect(error.message).toContain('SwapFailed: the worker process for the slot could not be started');
  expect(rollout.answers('SwapSlot')).toEqual([202]);
  expect(rollout.site.pending).toBeNull();
});

test('so is one that dies before the server has heard of the swap', async () => {
  stack.cloud.swapMs = 1_000;
  const rollout = await stack.rollout();
  await expect(rollout.promote(dying({}))).rejects.toMatchObject({ name: 'AbortError' });
  expect((await rollout.promote()).split.stable).toBe(rollout.release.version);
  expect(rollout.answers('SwapSlot')).toEqual([202]);
});

test('so is one whose swap has ended, and whose operation nobody knows any more', async () => {
  const rollout = await stack.rollout();
  const told: { details?: unknown } = {};
  await expect(rollout.promote(dying(told))).rejects.toMatchObject({ name: 'AbortError' });
  stack.cloud.faults.set(['GetOperation'], 1, { reply: { status: 404 } });
  expect((await rollout.promote(context({ lastHeartbeat: () => told.details }))).split.stable).toBe(
    rollout.release.version,
  );
  expect(rollout.answers('SwapSlot')).toEqual([202]);
});

test('a swap that lands after the restore is taken back, also when nobody waits for it any more', async () => {
  stack.cloud.swapMs = 300;
  const rollout = await stack.rollout();
  stack.cloud.faults.set(['SwapSlot'], 1, { held: 1_000 });
  const frozen = rollout.promote(dying({}));
  const ended = expect(frozen).rejects.toMatchObject({ name: 'AbortError' });
  await until('the swap to be on its way', () => stack.cloud.faults.struck === 1);
  await rollout.restore('promote');
  expect(rollout.site.production.settings.SLUICE_RELEASE).toBeUndefined();
  await ended;
  expect(rollout.answers('SwapSlot')).toEqual([202, 202]);
  expect(rollout.site.production.settings.SLUICE_RELEASE).toBeUndefined();
});

test('a swap whose answer was lost is found by the releases, and not sent again', async () => {
  const rollout = await stack.rollout();
  stack.cloud.faults.set(['SwapSlot'], 1, { lost: true });
  expect((await failure(rollout.promote())).code).toBe('SLUICE_PROVIDER');
  expect((await rollout.promote()).split.stable).toBe(rollout.release.version);
  expect(rollout.answers('SwapSlot')).toEqual([202]);
});

test.each([500, 503, 429])('a swap that is answered %i is sent once a try', async (status) => {
  const rollout = await stack.rollout();
  stack.cloud.faults.set(['SwapSlot'], 9, { reply: { status, headers: { 'retry-after': '7' } } });
  const error = await failure(rollout.promote());
  expect(stack.cloud.faults.struck).toBe(1);
  expect(error.retryAfterMs).toBe(7_000);
});

test('an operation that is in the way is waited for', async () => {
  const rollout = await stack.rollout();
  stack.cloud.faults.set(
    ['SwapSlot'],
    1,
    conflict('Cannot modify this site because another operation is in progress.'),
  );
  expect((await rollout.promote()).split.stable).toBe(rollout.release.version);
  expect(rollout.answers('SwapSlot')).toEqual([202]);
});

test('a swap that somebody left half done is reset on both slots, and done whole', async () => {
  const rollout = await stack.rollout();
  stack.cloud.faults.set(['SwapSlot'], 1, conflict('The configuration settings have been prepared for swap.'));
  expect((await rollout.promote()).split.stable).toBe(rollout.release.version);
  expect([rollout.answers('ResetSlotConfig'), rollout.answers('ResetSlotConfigSlot')]).toEqual([[200], [200]]);
});

test('the slot is looked at with the settings of production before the exchange; when it fails, all is reset', async () => {
  const rollout = await stack.rollout();
  rollout.site.staging.broken = true;
  const error = await failure(rollout.promote());
  expect(error).toMatchObject({ code: 'SLUICE_PROBE', message: expect.stringContaining('gave status 503') });
  expect(rollout.answers('ApplySlotConfigSlot')).toEqual([200]);
  expect(rollout.answers('SwapSlot')).toEqual([]);
  expect(rollout.site.pending).toBeNull();
});

test('with site authentication there is no preview, and the swap is done in one go', async () => {
  const rollout = await stack.rollout();
  rollout.site.signsIn = true;
  expect((await rollout.promote()).split.stable).toBe(rollout.release.version);
  expect(rollout.answers('ApplySlotConfigSlot')).toEqual([]);
});

test("a warm-up that fails keeps the platform's words, and leaves no half of a swap behind", async () => {
  const rollout = await stack.rollout();
  rollout.site.failsToSwap = 'Cannot swap: the slot did not respond to http ping';
  const error = await failure(rollout.promote());
  expect(error.code).toBe('SLUICE_REFUSED');
  expect(error.message).toContain('SwapFailed: Cannot swap: the slot did not respond to http ping');
  expect(rollout.site.pending).toBeNull();
  expect(rollout.site.production.content.answer).toBe('by hand');
});

test('what is kept for the next worker holds no token', async () => {
  const rollout = await stack.rollout();
  const told: unknown[] = [];
  await rollout.promote(context({ heartbeat: (details) => details !== undefined && told.push(details) }));
  expect(told).toHaveLength(1);
  expect(JSON.stringify(told)).not.toMatch(/token|bearer/i);
});
