import { clip, pad, paint, piece, widthOf, wrap } from '../../src/cli/render/pieces.js';
import { bar } from '../../src/cli/render/split.js';
import { table } from '../../src/cli/render/table.js';
import { percent } from '../../src/cli/render/words.js';

const text = (line: ReturnType<typeof clip>) => paint(line, false);

describe('cutting lines', () => {
  test('keeps a line that fits', () => {
    expect(text(clip([piece('abc'), piece('def')], 6))).toBe('abcdef');
  });

  test('marks a longer one as cut', () => {
    expect(text(clip([piece('abc'), piece('def')], 5))).toBe('abcd…');
  });

  test('does not cut a wide character in half', () => {
    expect(text(clip([piece('日本語')], 4))).toBe('日…');
    expect(text(clip([piece('a👩‍👩‍👧b')], 3))).toBe('a…');
  });

  test('leaves nothing for zero columns', () => {
    expect(clip([piece('abc')], 0)).toEqual([]);
  });

  test('wraps text at blanks, and breaks a word that is longer than the line', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrap('abcdefghij k', 4)).toEqual(['abcd', 'efgh', 'ij k']);
    expect(wrap('', 4)).toEqual([]);
  });

  test('pads by columns, not characters', () => {
    expect(pad('日', 4)).toBe('日  ');
    expect(widthOf([piece('日')])).toBe(2);
  });

  test('keeps blanks around a piece', () => {
    expect(piece('  a\u001bb ').text).toBe('  a b ');
  });
});

describe('the bar of the split', () => {
  const parts = (weight: number) => bar(weight, 10).map(({ text: part }) => part.length);
  test.each([
    [0, [10]],
    [1, [9, 1]],
    [10, [9, 1]],
    [50, [5, 5]],
    [99, [1, 9]],
    [100, [10]],
  ])('at %i %% shows %j', (weight, expected) => {
    expect(parts(weight)).toEqual(expected);
  });
});

test('a table pads its columns and cuts the last one', () => {
  const rows = [
    [{ text: 'a' }, { text: 'long text here' }],
    [{ text: 'bbb' }, { text: 'x' }],
  ];
  expect(table(['ONE', 'TWO'], rows, { width: 12, colour: false })).toEqual(['ONE  TWO', 'a    long t…', 'bbb  x']);
});

test.each([
  [0, 0, '–'],
  [0, 10, '0 %'],
  [1, 3, '33 %'],
  [3, 540, '0.56 %'],
])('%i of %i is %s', (part, of, expected) => {
  expect(percent(part, of)).toBe(expected);
});
