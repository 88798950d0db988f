import fc from 'fast-check';
import type { Series } from '../../src/health/sources/prometheus/api.js';
import { growth } from '../../src/health/sources/prometheus/count.js';
import { closedEnds } from '../../src/health/sources/stretches.js';

describe('the grid of stretches', () => {
  const grid = { length: 5_000, delay: 2_000, most: 100 };

  test('starts with the stretch in which the weight started, and ends with the last one whose watermark has passed', () => {
    expect(closedEnds({ ...grid, since: 12_300, now: 21_999 })).toEqual([15_000]);
    expect(closedEnds({ ...grid, since: 12_300, now: 22_000 })).toEqual([15_000, 20_000]);
    expect(closedEnds({ ...grid, since: 15_000, now: 22_000 })).toEqual([20_000]);
    expect(closedEnds({ ...grid, since: 20_000, now: 22_000 })).toEqual([]);
    expect(closedEnds({ ...grid, since: 90_000, now: 22_000 })).toEqual([]);
  });

  test('gives the oldest ones first if there are many', () => {
    expect(closedEnds({ ...grid, since: 0, now: 1_000_000, most: 2 })).toEqual([5_000, 10_000]);
  });

  test('gives each stretch once to a reader who continues from the last one, at any pace', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(fc.nat(1_000_000), steps, fc.integer({ min: 1, max: 5 }), (from, waits, most) => {
        let [since, now] = [from, from];
        const seen: number[] = [];
        for (const wait of waits) {
          now += wait;
          const ends = closedEnds({ ...grid, most, since, now });
          seen.push(...ends);
          since = ends.at(-1) ?? since;
        }
        const first = Math.floor(from / grid.length) * grid.length + grid.length;
        expect(seen).toEqual(seen.map((_, i) => first + i * grid.length));
        expect((seen.at(-1) ?? 0) + grid.delay).toBeLessThanOrEqual(Math.max(now, grid.delay));
      }),
    );
  });
});

describe('the growth of counters', () => {
  const series = (labels: Record<string, string>, values: [number, number][]): Series => ({
    labels,
    values: new Map(values),
  });
  const of = (now: Series[], then: Series[], ends: number[]) => [...growth(now, then, { ends, window: 10 })];

  test('is computed series by series and added up', () => {
    const now = [series({ code: '200' }, [[20, 9]]), series({ code: '500' }, [[20, 4]])];
    const then = [series({ code: '500' }, [[10, 1]]), series({ code: '200' }, [[10, 7]])];
    expect(of(now, then, [20])).toEqual([[20, 5]]);
  });

  test('of a counter that dropped is its value since then, and of a new one its whole value', () => {
    expect(of([series({}, [[20, 3]])], [series({}, [[10, 100]])], [20])).toEqual([[20, 3]]);
    expect(of([series({}, [[20, 3]])], [], [20])).toEqual([[20, 3]]);
  });

  test('of a missing counter is unknown, and of an unchanged one is 0', () => {
    const then = [
      series({}, [
        [10, 5],
        [20, 5],
      ]),
    ];
    expect(of([series({}, [[30, 5]])], then, [20, 30])).toEqual([[30, 0]]);
  });

  test('over many stretches is the growth over all of them', () => {
    const counts = fc.array(fc.nat(50), { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(counts, (increments) => {
        const totalAt = (i: number) => increments.slice(0, i + 1).reduce((sum, one) => sum + one, 0);
        const values = increments.map((_, i): [number, number] => [i * 10, totalAt(i)]);
        const ends = values.slice(1).map(([end]) => end);
        const grown = growth([series({}, values)], [series({}, values)], { ends, window: 10 });
        const all = [...grown.values()].reduce((sum, one) => sum + one, 0);
        expect(all).toBe(totalAt(increments.length) - totalAt(0));
      }),
    );
  });
});
