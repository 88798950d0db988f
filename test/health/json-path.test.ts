import { describe, expect, test } from '@jest/globals';
import { at } from '../../src/health/json-path.js';

const ANSWER = { a: { b: [1, { c: null }], 'x-y': false }, body: '{"ok":true,"items":["first"]}' };

describe('a JSON path', () => {
  test.each([
    ['$', ANSWER],
    ['$.a.b[0]', 1],
    ['$.a.b[1].c', null],
    ['$.a.x-y', false],
    ['$.body.ok', true],
    ['$.body.items[0]', 'first'],
  ])('%s finds the value', (path, found) => {
    expect(at(ANSWER, path)).toEqual(found);
  });

  test.each(['$.a.b[2]', '$.a.b.length', '$.a[0]', '$.a.constructor', '$.a.b[1].c.d', '$.body.no', '$.a.b[0].d'])(
    '%s finds nothing',
    (path) => {
      expect(at(ANSWER, path)).toBeUndefined();
    },
  );

  test('finds nothing in text that is not JSON', () => {
    expect(at('<html>', '$.a')).toBeUndefined();
    expect(at('<html>', '$')).toBe('<html>');
  });

  test.each(['a.b', '$.', '$[x]', '$..a', '$.a[*]', ''])('%s is refused', (path) => {
    expect(() => at(ANSWER, path)).toThrow(expect.objectContaining({ code: 'SLUICE_SPEC' }));
  });
});
