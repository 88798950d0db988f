import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { codecOf } from '../../src/codec/index.js';

const [ONE, TWO] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
const VALUE = { token: 'of nobody else', weight: 10 };
const NO_PAYLOAD: Payload = {};

const payload = (value: unknown) => defaultPayloadConverter.toPayload(value) ?? NO_PAYLOAD;
const text = (bytes: Uint8Array | null | undefined) => Buffer.from(bytes ?? []).toString('latin1');

async function encrypted(keys: string, value: unknown): Promise<Payload> {
  const [first = NO_PAYLOAD] = await codecOf({ SLUICE_CODEC_KEYS: keys }).encode([payload(value)]);
  return first;
}

async function decrypted(keys: string | undefined, sealed: Payload): Promise<unknown> {
  const [first = NO_PAYLOAD] = await codecOf({ SLUICE_CODEC_KEYS: keys }).decode([sealed]);
  return defaultPayloadConverter.fromPayload(first);
}

describe('an encrypted payload', () => {
  test('shows its key id, and nothing of the payload, not even metadata', async () => {
    const sealed = await encrypted(`one:${ONE}`, VALUE);
    expect(
      Object.fromEntries(Object.entries(sealed.metadata ?? {}).map(([name, value]) => [name, text(value)])),
    ).toEqual({ encoding: 'binary/encrypted', 'encryption-key-id': 'one' });
    expect(text(sealed.data)).not.toMatch(/token|nobody|json/);
    expect(await decrypted(`one:${ONE}`, sealed)).toEqual(VALUE);
  });

  test('is never the same twice', async () => {
    const [one, two] = await Promise.all([encrypted(`one:${ONE}`, VALUE), encrypted(`one:${ONE}`, VALUE)]);
    expect(text(one.data)).not.toBe(text(two.data));
  });

  test.each([
    ['null', null],
    ['undefined', undefined],
    ['bytes', new Uint8Array([0, 255, 7])],
    ['nothing', ''],
  ])('decrypts to what it was: %s', async (_, value) => {
    expect(await decrypted(`one:${ONE}`, await encrypted(`one:${ONE}`, value))).toEqual(value);
  });

  test('is read with any key and written with the first: to rotate, put a new key first', async () => {
    const rotated = `two:${TWO},one:${ONE}`;
    expect(await decrypted(rotated, await encrypted(`one:${ONE}`, VALUE))).toEqual(VALUE);
    const fresh = await encrypted(rotated, VALUE);
    expect(text(fresh.metadata?.['encryption-key-id'])).toBe('two');
    expect(await decrypted(`two:${TWO}`, fresh)).toEqual(VALUE);
  });

  test('under a missing key is an error that names the key and what to do', async () => {
    const sealed = await encrypted(`one:${ONE}`, VALUE);
    await expect(decrypted(`two:${TWO}`, sealed)).rejects.toMatchObject({
      code: 'SLUICE_SETUP',
      message: expect.stringMatching(
        /under the key "one" and this process has the keys two; add that key to SLUICE_CODEC_KEYS/,
      ),
    });
    await expect(decrypted(undefined, sealed)).rejects.toThrow('under the key "one" and this process has no keys');
  });

  const CHANGES: [string, (sealed: Payload) => Payload][] = [
    [
      'a changed byte',
      (sealed) => ({
        ...sealed,
        data: Buffer.from(sealed.data ?? []).map((byte, at) => (at === 20 ? byte ^ 1 : byte)),
      }),
    ],
    ['missing bytes', (sealed) => ({ ...sealed, data: (sealed.data ?? new Uint8Array()).subarray(0, 20) })],
    [
      "another key's id",
      (sealed) => ({ ...sealed, metadata: { ...sealed.metadata, 'encryption-key-id': Buffer.from('two') } }),
    ],
  ];

  test.each(CHANGES)('is refused with %s', async (_, change) => {
    // Both ids have the same key, so that only what is bound to the payload tells them apart.
    const keys = `one:${ONE},two:${ONE}`;
    await expect(decrypted(keys, change(await encrypted(keys, VALUE)))).rejects.toMatchObject({ code: 'SLUICE_SETUP' });
  });
});

describe('an unencrypted payload', () => {
  test('is decoded as it is, with keys and without', async () => {
    expect(await decrypted(`one:${ONE}`, payload(VALUE))).toEqual(VALUE);
    expect(await decrypted(undefined, payload(VALUE))).toEqual(VALUE);
  });

  test('stays unencrypted without a key', async () => {
    const codec = codecOf({});
    expect(codec.encrypts).toBe(false);
    expect(await codec.encode([payload(VALUE)])).toEqual([payload(VALUE)]);
  });
});

describe('the keys', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'sluice-keys-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('may come from a file, one per line', () => {
    const file = path.join(folder, 'keys');
    writeFileSync(file, `# rotated in May\ntwo:${TWO}\none:${ONE} # until all of April's runs are gone\n`);
    expect(codecOf({ SLUICE_CODEC_KEYS_FILE: file }).keyIds).toEqual(['two', 'one']);
  });

  test.each([
    ['a key that is not base64', `one:${ONE},two:!!${TWO}`, 'key 2 of SLUICE_CODEC_KEYS ("two") is not base64'],
    ['a short key', 'one:c2hvcnQ=', 'key 1 of SLUICE_CODEC_KEYS ("one") has 5 bytes and needs 32'],
    ['a repeated id', `one:${ONE},one:${TWO}`, 'SLUICE_CODEC_KEYS has two keys with the id "one"'],
    ['no id', ONE, 'key 1 of SLUICE_CODEC_KEYS has no id; write id:base64'],
    ['an impossible id', `o n e:${ONE}`, 'key 1 of SLUICE_CODEC_KEYS has the id "o n e"'],
    ['nothing', ' ,', 'SLUICE_CODEC_KEYS has no key'],
    ['an empty variable', '', 'SLUICE_CODEC_KEYS has no key'],
  ])('are refused with %s, and no message contains a secret', (_, keys, said) => {
    const read = () => codecOf({ SLUICE_CODEC_KEYS: keys });
    expect(read).toThrow(said);
    expect(read).not.toThrow(new RegExp(`${ONE.slice(0, 8)}|${TWO.slice(0, 8)}`.replaceAll(/[+/]/g, '.')));
  });

  test('are refused if two places set them, and from a missing file', () => {
    expect(() => codecOf({ SLUICE_CODEC_KEYS: `one:${ONE}`, SLUICE_CODEC_KEYS_FILE: 'x' })).toThrow('are both set');
    expect(() => codecOf({ SLUICE_CODEC_KEYS_FILE: path.join(folder, 'none') })).toThrow(
      /SLUICE_CODEC_KEYS_FILE cannot be read: .*ENOENT/,
    );
  });
});
