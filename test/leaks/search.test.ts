import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { Finder, markOf } from './search.js';

const CORE = 'qwzjkxvbnmplokijuhyg';
const VALUE = `lk-x-${CORE}"/+&`;
const finder = new Finder([markOf('other', 'aaaabbbbccccddddeeee'), markOf('x', CORE)]);
const forms = (bytes: Buffer | string) => finder.find(Buffer.from(bytes as string)).map(({ form }) => form);
const each = (write: (code: string) => string) =>
  [...VALUE].map((sign) => write(sign.charCodeAt(0).toString(16).padStart(2, '0'))).join('');
const around = (text: string | Buffer) =>
  Buffer.concat([randomBytes(41), Buffer.from(text as string), randomBytes(17)]);

test.each([
  ['plain', VALUE],
  ['plain', JSON.stringify({ a: VALUE })],
  ['plain', new URLSearchParams({ a: VALUE }).toString()],
  ['hex', Buffer.from(VALUE).toString('hex')],
  ['hex', Buffer.from(VALUE).toString('hex').toUpperCase()],
  ['URL', each((code) => `%${code}`)],
  ['JSON', each((code) => `\\u00${code}`)],
  ['UTF-16', Buffer.from(VALUE, 'utf16le')],
  ['UTF-16', Buffer.from(VALUE, 'utf16le').swap16()],
  ['in gzip: plain', gzipSync(`so ${VALUE} it is`)],
  ['in zip: plain', Buffer.from(zipSync({ 'a/b.txt': Buffer.from(VALUE.repeat(20)) }))],
  ['in base64: in gzip: plain', gzipSync(`so ${VALUE} it is`).toString('base64url')],
])('a mark is found as %s (%#)', (form, text) => {
  expect(forms(around(text))).toEqual([form]);
});

test('a mark is found in base64 at any offset, and in base64 of base64', () => {
  for (const before of ['', 'a', 'ab', 'abc']) {
    const once = Buffer.from(`${before}${VALUE} and on`).toString('base64');
    expect(forms(`{"data":"${once}"}`)).toEqual(['base64']);
    const twice = Buffer.from(`${before}${once}`).toString('base64');
    expect(forms(`{"data":"${twice}"}`)).toEqual(['in base64: base64']);
  }
});

test('a mark that was cut at either end is found', () => {
  expect(forms(`lk-x-${CORE.slice(0, 12)}…`)).toEqual(['plain']);
  expect(forms(`…${CORE.slice(8)}`)).toEqual(['plain']);
});

test('every mark is reported by name, once', () => {
  const two = finder.find(Buffer.from(`aaaabbbbccccddddeeee ${VALUE} ${VALUE}`));
  expect(two.map(({ mark }) => mark).sort()).toEqual(['other', 'x']);
});

test('nothing is found in random bytes, nor in their base64', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4_000 }), (bytes) => {
      expect(forms(Buffer.from(bytes))).toEqual([]);
      expect(forms(Buffer.from(bytes).toString('base64'))).toEqual([]);
    }),
  );
});
