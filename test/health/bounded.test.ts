import { getEventListeners } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { bounded, repeat, rest } from '../../src/health/bounded.js';
import { until } from '../support/until.js';

const never = () => new Promise<never>(() => {});

describe('work with a deadline', () => {
  test('ends at its deadline even if it ignores the signal, and the signal says so', async () => {
    let seen: AbortSignal | undefined;
    const work = bounded(new AbortController().signal, 20, (signal) => {
      seen = signal;
      return never();
    });
    await expect(work).rejects.toThrow('no answer within 20 ms');
    expect(seen?.aborted).toBe(true);
  });

  test('ends at once when its signal is aborted, before or during it', async () => {
    const stop = new AbortController();
    const during = bounded(stop.signal, 60_000, never);
    stop.abort();
    await expect(during).rejects.toMatchObject({ name: 'AbortError' });
    let called = false;
    const before = bounded(stop.signal, 60_000, async () => {
      called = true;
    });
    await expect(before).rejects.toMatchObject({ name: 'AbortError' });
    expect(called).toBe(false);
  });

  test("returns the work's result and leaves no listener on the signal", async () => {
    const { signal } = new AbortController();
    await expect(bounded(signal, 1_000, async () => 7)).resolves.toBe(7);
    await rest(signal, 1);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('repeated work', () => {
  test('never overlaps, and calls missed during a slow one are not made up for', async () => {
    const stop = new AbortController();
    let now = 0;
    let most = 0;
    const starts: number[] = [];
    const done = repeat(stop.signal, 10, async () => {
      now += 1;
      most = Math.max(most, now);
      starts.push(performance.now());
      await rest(stop.signal, starts.length === 1 ? 200 : 0);
      now -= 1;
    });
    await until('twenty calls', () => starts.length >= 20);
    stop.abort();
    await done;
    expect(most).toBe(1);
    // Fourteen intervals of 10 ms; made up for, they would take a few ms.
    expect((starts[15] as number) - (starts[1] as number)).toBeGreaterThan(100);
  });

  test('ends when it is stopped during a long pause', async () => {
    const stop = new AbortController();
    let calls = 0;
    const done = repeat(stop.signal, 3_600_000, async () => {
      calls += 1;
    });
    await until('the first call', () => calls === 1);
    stop.abort();
    await done;
    expect(calls).toBe(1);
  });
});
