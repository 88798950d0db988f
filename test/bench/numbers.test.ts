/** The arithmetic of the bench of the judge: bound, floor, exact test, rows, bars, options. */
import { atLeast } from '../../bench/judge/binomial.js';
import { concurrentBound, feedFloor } from '../../bench/judge/bound.js';
import { optionsFrom } from '../../bench/judge/options.js';
import { barsOf, type FalseAlarms, percentile, rowsOf, table } from '../../bench/judge/report.js';
import type { Run } from '../../bench/judge/runs.js';
import { inParallel } from '../../bench/judge/schedule.js';

const setting = { weight: 0.1, alpha: 0.01, tick: 1, delay: 2 };
const fine: FalseAlarms = { rollouts: 5_000, share: 0.002, alpha: 0.01, p: 1 };
const quick = { lags: [1], latencies: [10], unplayed: 0 };

function run(more: Partial<Run> = {}): Run {
  return { candidate: '20', rate: 20, arm: 'fast', failed: 5, seconds: 13, ...more };
}

describe('the concurrent bound', () => {
  test('matches its formula, worked out by hand for a candidate that always fails', () => {
    const expected = (0.1 * Math.log(100)) / (0.1 * Math.log(10) + 0.9 * Math.log(1 / 0.9));
    expect(concurrentBound({ stable: 0, candidate: 1, weight: 0.1, alpha: 0.01 })).toBeCloseTo(expected, 10);
  });

  test('grows if stable fails too, and with a smaller chance of a false alarm', () => {
    const of = (stable: number, alpha: number) => concurrentBound({ stable, candidate: 0.2, weight: 0.1, alpha });
    expect(of(0.05, 0.01)).toBeGreaterThan(of(0, 0.01));
    expect(of(0, 0.001)).toBeGreaterThan(of(0, 0.01));
  });

  test("the feed's floor is what fails while a stretch closes and its delay passes", () => {
    expect(feedFloor({ rate: 20, weight: 0.1, candidate: 0.2, tick: 1, delay: 2 })).toBeCloseTo(1.2, 10);
  });
});

describe('the exact test', () => {
  test.each([
    [0, 10, 0.3, 1],
    [10, 10, 0.5, 1 / 1024],
    [1, 3, 0.5, 7 / 8],
  ])('at least %d of %d at %f', (x, n, p, expected) => {
    expect(atLeast(x, n, p)).toBeCloseTo(expected, 12);
  });

  test('stays above 0 where (1 - p)^n rounds to 0', () => {
    expect(atLeast(1_000, 100_000, 0.01)).toBeCloseTo(0.5, 1);
    expect(atLeast(1_200, 100_000, 0.01)).toBeLessThan(1e-8);
  });
});

describe('rows', () => {
  test('are means over the runs of a kind', () => {
    const [row] = rowsOf([run({ failed: 4, seconds: 10 }), run({ failed: 6, seconds: 20 })], setting);
    expect(row).toMatchObject({ runs: 2, caught: 2, failed: 5, seconds: 15 });
  });

  test('have no time if a candidate kept its weight once', () => {
    const [row] = rowsOf([run(), run({ seconds: null })], setting);
    expect(row).toMatchObject({ runs: 2, caught: 1, seconds: null });
    expect(table(row === undefined ? [] : [row]).at(-1)).toContain('| 1 of 2 | 5.0             | –');
  });
});

describe('bars', () => {
  const okOf = (runs: Run[], more: { alarms?: FalseAlarms; strain?: typeof quick } = {}) =>
    barsOf(rowsOf(runs, setting), more.alarms ?? fine, more.strain ?? quick).map(({ ok }) => ok);
  const alarm = (failed: number, rate = 20) => run({ arm: 'alarm', rate, failed, seconds: 150 });

  test('hold if everything is as it should be', () => {
    expect(okOf([run(), alarm(60)])).toEqual([true, true, true, true, true, true]);
  });

  test.each<[string, Run[], Parameters<typeof okOf>[1], number]>([
    ['more failed requests than the bound allows', [run({ failed: 6.1 })], {}, 0],
    ['a candidate that kept its weight', [run({ seconds: null })], {}, 0],
    ['less than a fivefold improvement on the alarm', [run(), alarm(24)], {}, 1],
    ['less than a tenfold improvement at fifty a second', [run({ rate: 50 }), alarm(49, 50)], {}, 1],
    ['too many false rollbacks', [], { alarms: { ...fine, p: 9e-5 } }, 0],
    ['a run that failed', [], { strain: { ...quick, unplayed: 1 } }, 1],
    ['users who arrive late', [], { strain: { ...quick, lags: [251] } }, 2],
    ['a slow cloud', [], { strain: { ...quick, latencies: [501] } }, 3],
  ])('are missed by %s', (_name, runs, more, at) => {
    expect(okOf(runs, more)[at]).toBe(false);
  });

  test('a percentile is one of the measured values', () => {
    expect(percentile([5, 1, 3], 0.5)).toBe(3);
    expect(percentile([5, 1, 3], 0.95)).toBe(5);
    expect(percentile([], 0.5)).toBe(0);
  });
});

describe('options', () => {
  test('default to all candidates at 20 a second, and 20 % at 50', () => {
    expect(optionsFrom([]).cells.map(({ candidate, rate }) => `${candidate}@${rate}`)).toEqual([
      '20@50',
      '1@20',
      '5@20',
      '20@20',
      '100@20',
      'slow@20',
    ]);
  });

  test('multiply if rates or candidates are named', () => {
    expect(optionsFrom(['--rates', '5,9', '--candidates', '100', '--cap', '7'])).toMatchObject({
      cells: [
        { candidate: '100', rate: 5 },
        { candidate: '100', rate: 9 },
      ],
      cap: 7_000,
    });
  });

  test.each([
    [['--rates', '0'], '--rates takes whole numbers from 1 on, not "0"'],
    [['--candidates', '7'], '--candidates takes 1, 5, 20, 100, slow, not "7"'],
    [['--output', 'xml'], '--output takes text, json, not "xml"'],
  ])('report the mistake: %j', (args, message) => {
    expect(() => optionsFrom(args)).toThrow(message);
  });
});

describe('parallel runs', () => {
  /** Plays jobs of these loads; the most load there was at one time. */
  async function mostOf(loads: number[], most: number): Promise<{ most: number; done: number }> {
    let load = 0;
    let seen = 0;
    let done = 0;
    const jobs = loads.map((each) => ({
      load: each,
      run: async () => {
        load += each;
        seen = Math.max(seen, load);
        await new Promise((resolve) => setImmediate(resolve));
        load -= each;
      },
    }));
    await inParallel(jobs, most, () => {
      done += 1;
    });
    return { most: seen, done };
  }

  test('stay within the load limit', async () => {
    await expect(mostOf([20, 20, 20, 20, 50], 60)).resolves.toEqual({ most: 60, done: 5 });
  });

  test('wait until one over the limit can run alone', async () => {
    await expect(mostOf([50, 20], 30)).resolves.toEqual({ most: 50, done: 2 });
  });

  test('report a failure', async () => {
    const bad = { load: 1, run: () => Promise.reject(new Error('no')) };
    await expect(inParallel([bad], 9, () => {})).rejects.toThrow('no');
  });
});
