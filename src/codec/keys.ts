/** The keys of the encryption, from the environment. */
import { readFileSync } from 'node:fs';
import { SluiceError } from '../model/errors.js';
import { clean, utf8 } from '../model/text.js';

/** A key of AES-256, and the id that payloads carry. */
export interface CodecKey {
  id: string;
  secret: Uint8Array;
}

type Env = Record<string, string | undefined>;

/** Bytes of a key. */
const LENGTH = 32;
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const WRITE = 'write id:base64, comma-separated; the first key encrypts';

/**
 * From SLUICE_CODEC_KEYS (`id:base64,id2:base64`), or from the file that SLUICE_CODEC_KEYS_FILE names (the same, or a
 * key a line; `#` begins a comment). The first key encrypts, all decrypt. Empty when neither is set.
 * Errors: SLUICE_SETUP; no message has a part of a secret in it.
 */
export function codecKeys(env: Env): CodecKey[] {
  const { SLUICE_CODEC_KEYS: given, SLUICE_CODEC_KEYS_FILE: file } = env;
  if (given !== undefined && file !== undefined) {
    throw setup('SLUICE_CODEC_KEYS and SLUICE_CODEC_KEYS_FILE are both set; keep one of them');
  }
  if (file !== undefined) return parseKeys(textOf(file), `the key file ${file}`);
  return given === undefined ? [] : parseKeys(given, 'SLUICE_CODEC_KEYS');
}

function textOf(file: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw setup(`SLUICE_CODEC_KEYS_FILE cannot be read: ${clean(why)}`);
  }
  const text = utf8(bytes);
  if (text === null) throw setup(`SLUICE_CODEC_KEYS_FILE names ${file}, which is not UTF-8 text`);
  return text;
}

/** `source` is what messages call the text. */
function parseKeys(text: string, source: string): CodecKey[] {
  const entries = text
    .split('\n')
    .map((line) => line.replace(/#.*/, ''))
    .join(',')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  // What was emptied by mistake must not turn the encryption off.
  if (entries.length === 0) throw setup(`${source} has no key; ${WRITE}, or unset it to go without encryption`);
  const keys = entries.map((entry, at) => parseKey(entry, `key ${at + 1} of ${source}`));
  const ids = keys.map(({ id }) => id);
  const repeated = ids.find((id, at) => ids.indexOf(id) !== at);
  if (repeated !== undefined) throw setup(`${source} has two keys with the id "${repeated}"; give each its own`);
  return keys;
}

function parseKey(entry: string, which: string): CodecKey {
  const colon = entry.indexOf(':');
  if (colon < 0) throw setup(`${which} has no id; ${WRITE}`);
  const [id, encoded] = [entry.slice(0, colon), entry.slice(colon + 1)];
  if (!ID.test(id)) {
    throw setup(`${which} has the id "${clean(id, 40)}"; an id is letters, digits, ".", "_" and "-", 63 at most`);
  }
  const named = `${which} ("${id}")`;
  if (!BASE64.test(encoded)) throw setup(`${named} is not base64; make one with \`openssl rand -base64 ${LENGTH}\``);
  const secret = Buffer.from(encoded, 'base64');
  if (secret.length === LENGTH) return { id, secret };
  throw setup(
    `${named} has ${secret.length} bytes and needs ${LENGTH}; make one with \`openssl rand -base64 ${LENGTH}\``,
  );
}

function setup(message: string): SluiceError {
  return new SluiceError('SLUICE_SETUP', message);
}
