/** An audit trail as lines for an append-only store: each names the one before it, and the last one is signed. */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { clean } from '../model/text.js';
import { publicJwk, type Signer } from './keys.js';

const TYPE = 'sluice-audit+jwt';
const BEGINNING = '0'.repeat(64);

/** The lines, without line breaks. The head says how many there are and the digest of the last; unsigned without a key. */
export async function trailOf(entries: object[], signer: Signer | null, now: number): Promise<string[]> {
  let prev = BEGINNING;
  const lines = entries.map((entry, at) => {
    const line = JSON.stringify({ n: at + 1, ...entry, prev });
    prev = sha256(line);
    return line;
  });
  const head = { lines: lines.length, digest: prev };
  const signature =
    signer === null
      ? null
      : await new SignJWT(head)
          .setProtectedHeader({ alg: 'EdDSA', typ: TYPE, kid: signer.kid })
          .setIssuer(signer.name)
          .setIssuedAt(Math.floor(now / 1000))
          .sign(signer.key);
  return [...lines, JSON.stringify({ head, by: signer?.name ?? null, signature })];
}

/** What is wrong with a trail; null when it is whole and signed with `key` (`ed25519:…`). */
export async function faultOf(lines: string[], key: string): Promise<string | null> {
  const jwk = publicJwk(key);
  if (jwk === null) return 'the key is not valid; expected ed25519:… as `sluice key` prints it';
  const last = fieldsOf(parsed(lines.at(-1)));
  const head = fieldsOf(last?.head);
  if (last === null || head === null) return 'it has no head: its last line is missing';
  let prev = BEGINNING;
  for (const [at, line] of lines.slice(0, -1).entries()) {
    const entry = fieldsOf(parsed(line));
    if (entry?.n !== at + 1) return `line ${at + 1} is missing`;
    if (entry.prev !== prev) return `the line before line ${at + 1} was changed`;
    prev = sha256(line);
  }
  if (head.lines !== lines.length - 1)
    return `it has ${lines.length - 1} lines; its head says ${typeof head.lines === 'number' ? head.lines : 'no number'}`;
  if (head.digest !== prev) return `line ${lines.length - 1} was changed`;
  if (typeof last.signature !== 'string') return 'its head is not signed';
  const publicKey: KeyObject = createPublicKey({ key: jwk, format: 'jwk' });
  const found = await jwtVerify(last.signature, publicKey, { algorithms: ['EdDSA'], typ: TYPE }).catch(() => null);
  if (found === null) return 'its head was signed with another key';
  const { digest, lines: signed, iss } = found.payload;
  if (digest !== prev || signed !== lines.length - 1) return 'its signature is for another trail';
  if (last.by === iss) return null;
  const by = typeof last.by === 'string' ? clean(last.by, 100) : 'nobody';
  return `its last line says that ${by} signed it; the signature says ${clean(iss ?? 'nobody', 100)}`;
}

/** Null when it is no object. */
function fieldsOf(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null ? { ...value } : null;
}

function parsed(line: string | undefined): unknown {
  try {
    return JSON.parse(line ?? '');
  } catch {
    return null;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
