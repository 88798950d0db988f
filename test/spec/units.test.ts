import fc from 'fast-check';
import { nearest } from '../../src/spec/nearest.js';
import { DURATION, PERCENT, parseDuration, parsePercent, writeDuration, writeShare } from '../../src/spec/units.js';

describe('durations', () => {
  test.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
    ['0s', 0],
  ])('%s is %d ms', (text, ms) => {
    expect(DURATION.test(text)).toBe(true);
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(['5', 's', '5 m', '-5m', '5min', '', '1e3s', '5m '])('"%s" is not a duration', (text) => {
    expect(DURATION.test(text)).toBe(false);
  });

  test('are the same after writing and reading them', () => {
    fc.assert(
      fc.property(fc.nat(400 * 86_400_000), (ms) => {
        const text = writeDuration(ms);
        expect(DURATION.test(text)).toBe(true);
        expect(parseDuration(text)).toBe(ms);
      }),
    );
  });
});

describe('percentages', () => {
  test('with four decimals are the same after writing and reading them', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), (n) => {
        const share = n / 10_000 / 100;
        const text = writeShare(share);
        expect(PERCENT.test(text)).toBe(true);
        expect(parsePercent(text) / 100).toBe(share);
      }),
    );
  });
});

describe('the nearest name', () => {
  const known = ['strategy', 'stages', 'bake', 'within', 'onTimeout'];
  test.each([
    ['stratgey', 'strategy'],
    ['Bake', 'bake'],
    ['on_timeout', 'onTimeout'],
    ['baek', 'bake'],
    ['completely', null],
  ])('to %s is %s', (word, near) => {
    expect(nearest(word, known)).toBe(near);
  });
});
