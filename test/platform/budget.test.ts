import { setMaxListeners } from 'node:events';
import { jest } from '@jest/globals';
import { type Budget, createBudget } from '../../activities/platform/index.js';

const never = new AbortController().signal;
setMaxListeners(0, never);

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** Counts calls that the budget has let through. */
function callers(budget: Budget, count: number, urgent = false): { through: () => number } {
  let done = 0;
  for (let i = 0; i < count; i += 1) {
    void budget.acquire(urgent, never).then(() => {
      done += 1;
    });
  }
  return { through: () => done };
}

test('calls go through at the rate, with no burst worth the name', async () => {
  const { through } = callers(createBudget({ perSecond: 10, share: () => 1 }), 500);
  await jest.advanceTimersByTimeAsync(0);
  expect(through()).toBeLessThanOrEqual(3);
  await jest.advanceTimersByTimeAsync(10_000);
  expect(through()).toBeGreaterThanOrEqual(98);
  expect(through()).toBeLessThanOrEqual(103);
});

test('an urgent call goes before all that wait, and does not wait for the next token', async () => {
  const budget = createBudget({ perSecond: 10, share: () => 1 });
  const queued = callers(budget, 2_000);
  await jest.advanceTimersByTimeAsync(1_000);
  const before = queued.through();
  const urgent = callers(budget, 4, true);
  await jest.advanceTimersByTimeAsync(1);
  expect(urgent.through()).toBe(4);
  expect(queued.through()).toBe(before);
});

test('urgent calls are counted too: the others wait until their debt is paid', async () => {
  const budget = createBudget({ perSecond: 10, share: () => 1 });
  const queued = callers(budget, 2_000);
  const urgent = callers(budget, 50, true);
  await jest.advanceTimersByTimeAsync(10_000);
  expect(urgent.through()).toBe(50);
  expect(urgent.through() + queued.through()).toBeLessThanOrEqual(108);
});

test('workers that share an account share its rate, and follow when one comes or goes', async () => {
  let share = 0.5;
  const { through } = callers(createBudget({ perSecond: 10, share: () => share }), 500);
  await jest.advanceTimersByTimeAsync(10_000);
  expect(through()).toBeLessThanOrEqual(53);
  expect(through()).toBeGreaterThanOrEqual(48);
  const before = through();
  share = 1;
  await jest.advanceTimersByTimeAsync(10_000);
  expect(through() - before).toBeGreaterThanOrEqual(95);
});

test('a throttled call halves the rate, and it recovers by itself', async () => {
  const budget = createBudget({ perSecond: 10, share: () => 1 });
  const { through } = callers(budget, 1_000);
  await jest.advanceTimersByTimeAsync(1_000);
  budget.throttled();
  // The rest of what was throttled at the same moment says nothing new.
  budget.throttled();
  const before = through();
  await jest.advanceTimersByTimeAsync(1_000);
  expect(through() - before).toBeLessThanOrEqual(6);
  expect(through() - before).toBeGreaterThanOrEqual(4);
  await jest.advanceTimersByTimeAsync(5_000);
  const recovered = through();
  await jest.advanceTimersByTimeAsync(10_000);
  expect(through() - recovered).toBeGreaterThanOrEqual(97);
});

test('who is cancelled while waiting leaves the queue and takes nothing', async () => {
  const budget = createBudget({ perSecond: 10, share: () => 1 });
  callers(budget, 5);
  const stop = new AbortController();
  const waiting = budget.acquire(false, stop.signal);
  const after = callers(budget, 1);
  stop.abort();
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  await jest.advanceTimersByTimeAsync(400);
  expect(after.through()).toBe(1);
  await expect(budget.acquire(true, stop.signal)).rejects.toMatchObject({ name: 'AbortError' });
});
