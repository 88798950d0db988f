/** The models of other tools' rules that the bench of the judge compares with. */
import { alarmFires } from '../../bench/judge/alarm.js';
import { flaggerTick, type Minute } from '../../bench/judge/flagger.js';

describe("SAM's example alarm", () => {
  test.each<[string, (number | null)[], boolean]>([
    ['fires after two minutes with an error', [0, 1, 1], true],
    ['does not fire after one minute with an error', [0, 0, 5], false],
    ['does not fire if the last minute had no error', [3, 3, 0], false],
    ['does not fire for two minutes that are not adjacent', [1, 0, 1], false],
    ['uses the newest points that exist', [1, null, 2], true],
    ['looks no further back than necessary', [1, null, null, 2], false],
    ['does not fire without data', [null, null, null], false],
  ])('%s', (_name, errors, fires) => {
    expect(alarmFires(errors)).toBe(fires);
  });
});

describe("Flagger's default checks", () => {
  const of = (errors: number, p99: number | null = 40): Minute => ({ requests: 200, errors, p99 });

  /** The tick, from 1, that goes back; null for none. */
  function backAt(minutes: (Minute | null)[]): number | null {
    let failed = 0;
    for (const [at, minute] of minutes.entries()) {
      const tick = flaggerTick(failed, minute);
      failed = tick.failed;
      if (tick.back) return at + 1;
    }
    return null;
  }

  test.each<[string, (Minute | null)[], number | null]>([
    ['roll back one tick after the first failed check', [of(3), of(3)], 2],
    ['count a failed check even if the next one passes', [of(3), of(0)], 2],
    ['pass a success rate of 99 %', [of(2), of(2), of(2)], null],
    ['fail a P99 over 500 ms', [of(0, 501), of(0)], 2],
    ['pass a P99 of 500 ms', [of(0, 500), of(0)], null],
    ['count nothing without values', [null, { requests: 0, errors: 0, p99: null }, of(0)], null],
  ])('%s', (_name, minutes, at) => {
    expect(backAt(minutes)).toBe(at);
  });
});
