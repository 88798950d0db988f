/** Statements that only a worker can make: a MAC under a key that only workers hold. */
import { createSecretKey } from 'node:crypto';
import { type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { SluiceError } from '../model/errors.js';

/** What a seal is for; one of a kind is nothing as another. */
export type SealKind = 'grant' | 'deployed' | 'receipt' | 'record' | 'entry' | 'late' | 'undo' | 'supersede' | 'proof';

/** Fewest bytes of a key: as many as the MAC has (RFC 7518, 3.2). */
const LEAST = 32;

/** HMAC-SHA-256 as a JWS. The first key seals, all open, so that keys can be exchanged one worker after the other. */
export class Seals {
  private readonly keys;

  /** `keys`: base64, each of 32 bytes at least. Errors: SLUICE_SETUP. */
  constructor(keys: string[]) {
    this.keys = keys.map((text, at) => {
      const bytes = Buffer.from(text, 'base64');
      if (bytes.length < LEAST) {
        throw new SluiceError(
          'SLUICE_SETUP',
          `key ${at + 1} of SLUICE_GRANT_KEY has ${bytes.length} bytes of base64; at least ${LEAST} are needed. Make one with \`openssl rand -base64 32\``,
        );
      }
      return createSecretKey(bytes);
    });
  }

  /** Whether this worker can seal, and therefore asks for seals. */
  get on(): boolean {
    return this.keys.length > 0;
  }

  /** Null without a key. */
  async make(kind: SealKind, claims: object): Promise<string | null> {
    const [key] = this.keys;
    if (key === undefined) return null;
    return new SignJWT({ ...claims }).setProtectedHeader({ alg: 'HS256', typ: typeOf(kind) }).sign(key);
  }

  /** The sealed content; null if none of our keys sealed it as this kind. */
  async open<T>(kind: SealKind, token: unknown): Promise<T | null> {
    if (typeof token !== 'string') return null;
    for (const key of this.keys) {
      const found = await jwtVerify(token, key, { algorithms: ['HS256'], typ: typeOf(kind) }).catch(() => null);
      if (found !== null) return found.payload as JWTPayload & T;
    }
    return null;
  }
}

function typeOf(kind: SealKind): string {
  return `sluice-${kind}`;
}
