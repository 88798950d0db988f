import { setMaxListeners } from 'node:events';
import { jest } from '@jest/globals';
import fc from 'fast-check';
import { ALONE, type Budget, createBudget, partOf, type Share } from '../../src/platforms/drivers.js';

const never = new AbortController().signal;
setMaxListeners(0, never);

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const known = (rank: number, workers: number): Share => ({ rank, workers, standing: 'known' });

/** Calls that wait for the budget; `answerAfter` ms after it lets one through, the provider has answered it. */
function callers(budget: Budget, count: number, { urgent = false, answerAfter = 0 } = {}) {
  const times: number[] = [];
  for (let i = 0; i < count; i += 1) {
    void budget.acquire(urgent, never).then((answered) => {
      times.push(performance.now());
      if (answerAfter === 0) answered();
      else setTimeout(answered, answerAfter);
    });
  }
  return { times, through: () => times.length };
}

/** Most of these moments within any second. */
function busiest(...of: { times: number[] }[]): number {
  const times = of.flatMap((each) => each.times).sort((a, b) => a - b);
  return Math.max(0, ...times.map((from) => times.filter((time) => time >= from && time < from + 1_000).length));
}

test('ordinary calls can use 10 in any second, and get them all', async () => {
  const calls = callers(createBudget({ perSecond: 10, share: () => ALONE }), 500);
  await jest.advanceTimersByTimeAsync(10_000);
  expect(busiest(calls)).toBe(10);
  expect(calls.through()).toBeGreaterThanOrEqual(100);
});

test('all calls together stay at 15 in any second, whatever is urgent', async () => {
  const budget = createBudget({ perSecond: 10, share: () => ALONE });
  const forward = callers(budget, 2_000);
  await jest.advanceTimersByTimeAsync(700);
  const some = callers(budget, 4, { urgent: true });
  await jest.advanceTimersByTimeAsync(700);
  const many = callers(budget, 60, { urgent: true });
  await jest.advanceTimersByTimeAsync(10_000);
  expect([some.through(), many.through()]).toEqual([4, 60]);
  expect(busiest(forward, some, many)).toBe(15);
});

test('an urgent call goes before everything that waits, at once', async () => {
  const budget = createBudget({ perSecond: 10, share: () => ALONE });
  const queued = callers(budget, 2_000);
  await jest.advanceTimersByTimeAsync(1_000);
  const before = queued.through();
  const urgent = callers(budget, 5, { urgent: true });
  await jest.advanceTimersByTimeAsync(0);
  expect(urgent.through()).toBe(5);
  expect(queued.through()).toBe(before);
});

test('a call counts until a second after its response, since it may have reached the provider at any time', async () => {
  const budget = createBudget({ perSecond: 10, share: () => ALONE });
  const slow = callers(budget, 10, { answerAfter: 400 });
  const next = callers(budget, 10);
  await jest.advanceTimersByTimeAsync(1_350);
  expect([slow.through(), next.through()]).toEqual([10, 0]);
  await jest.advanceTimersByTimeAsync(100);
  expect(next.through()).toBe(10);
});

test('a call without a response holds its slot for a second longer, not for ever', async () => {
  const budget = createBudget({ perSecond: 10, share: () => ALONE });
  callers(budget, 10, { answerAfter: 3_600_000 });
  const next = callers(budget, 1);
  await jest.advanceTimersByTimeAsync(2_100);
  expect(next.through()).toBe(1);
});

test('workers that share an account together make no more calls than one, and adapt when one comes or goes', async () => {
  const shares = [known(0, 3), known(1, 3), known(2, 3)];
  const budgets = shares.map((_, rank) => createBudget({ perSecond: 10, share: () => shares[rank] as Share }));
  const calls = budgets.flatMap((budget) => [callers(budget, 300), callers(budget, 100, { urgent: true })]);
  await jest.advanceTimersByTimeAsync(5_000);
  expect(busiest(...calls)).toBe(15);
  // The others have gone.
  shares[0] = ALONE;
  shares[1] = { ...known(1, 3), standing: 'cutOff' };
  shares[2] = { ...known(2, 3), standing: 'new' };
  const before = calls.map(({ through }) => through());
  await jest.advanceTimersByTimeAsync(3_000);
  const made = calls.map(({ through }, n) => through() - (before[n] ?? 0));
  expect(made[1]).toBeGreaterThanOrEqual(40);
  // One that is cut off makes a restoring call a second, one that is new makes none.
  expect(made[2]).toBe(0);
  expect(made[3]).toBeGreaterThanOrEqual(2);
  expect(made[3]).toBeLessThanOrEqual(3);
  expect(made.slice(4)).toEqual([0, 0]);
});

test('the shares of all workers add up to the whole, even if they see different workers', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(10, 15),
      fc.integer({ min: 1, max: 10 }),
      fc.array(fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 5 }), { minLength: 10, maxLength: 10 }),
      (perSecond, workers, gone) => {
        // Each sees all that make calls, at even places, and some that do not.
        const real = Array.from({ length: workers }, (_, n) => n * 2);
        const parts = real.map((self, n) => {
          const seen = [...new Set([...real, ...(gone[n] ?? []).map((other) => other * 2 + 1)])].sort((a, b) => a - b);
          const { calls, within } = partOf(perSecond, { rank: seen.indexOf(self), workers: seen.length });
          expect(within).toBeGreaterThanOrEqual(1_000);
          return within === 1_000 ? calls : 1;
        });
        const sum = parts.reduce((total, part) => total + part, 0);
        expect(sum).toBeLessThanOrEqual(perSecond);
        if (gone.slice(0, workers).every((others) => others.length === 0)) expect(sum).toBe(perSecond);
      },
    ),
  );
});

test('more workers than calls take turns', () => {
  expect(partOf(10, { rank: 3, workers: 20 })).toEqual({ calls: 1, within: 2_000 });
  expect(partOf(0.5, { rank: 0, workers: 1 })).toEqual({ calls: 1, within: 2_000 });
});

test('a throttled call halves the rate, which recovers by itself', async () => {
  const budget = createBudget({ perSecond: 10, share: () => ALONE });
  const { through } = callers(budget, 1_000);
  await jest.advanceTimersByTimeAsync(999);
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

test('rollbacks slow down to half at most when calls are throttled', async () => {
  const budget = createBudget({ perSecond: 10, share: () => ALONE });
  for (let n = 0; n < 4; n += 1) {
    budget.throttled();
    await jest.advanceTimersByTimeAsync(600);
  }
  const urgent = callers(budget, 15, { urgent: true });
  await jest.advanceTimersByTimeAsync(0);
  expect(urgent.through()).toBeGreaterThanOrEqual(7);
});

test('a call that is cancelled while waiting leaves the queue and uses nothing', async () => {
  const budget = createBudget({ perSecond: 10, share: () => ALONE });
  callers(budget, 10);
  const stop = new AbortController();
  const waiting = budget.acquire(false, stop.signal);
  const after = callers(budget, 10);
  stop.abort();
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  await jest.advanceTimersByTimeAsync(1_100);
  expect(after.through()).toBe(10);
  await expect(budget.acquire(true, stop.signal)).rejects.toMatchObject({ name: 'AbortError' });
});
