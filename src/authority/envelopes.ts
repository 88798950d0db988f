/** What only workers can read: a provider's token, encrypted to a key that comes from the grant keys. */
import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, compactDecrypt, type JWK } from 'jose';
import { SEAL_ALGORITHM, SEAL_CIPHER } from '../access/index.js';

/** An X25519 private key in PKCS 8 without its 32 bytes (RFC 8410). */
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** X25519 keys, one for each grant key, so that both are exchanged together: clients encrypt to the first, all can read. */
export class Envelopes {
  private readonly keys: KeyObject[];

  /** `keys`: the grant keys, base64. */
  constructor(keys: string[]) {
    this.keys = keys.map((text) => {
      const bytes = hkdfSync('sha256', Buffer.from(text, 'base64'), '', 'sluice: logins to workers', 32);
      return createPrivateKey({ key: Buffer.concat([PKCS8, Buffer.from(bytes)]), format: 'der', type: 'pkcs8' });
    });
  }

  /** The key that clients encrypt to; null without a key. */
  async publicKey(): Promise<JWK | null> {
    const [key] = this.keys;
    return key === undefined ? null : publicOf(key);
  }

  /** What is inside; null for what none of our keys reads. */
  async open(sealed: string): Promise<string | null> {
    for (const key of this.keys) {
      const found = await compactDecrypt(sealed, key, {
        keyManagementAlgorithms: [SEAL_ALGORITHM],
        contentEncryptionAlgorithms: [SEAL_CIPHER],
      }).catch(() => null);
      if (found !== null) return new TextDecoder().decode(found.plaintext);
    }
    return null;
  }
}

async function publicOf(key: KeyObject): Promise<JWK> {
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  const jwk = { kty: 'OKP', crv: 'X25519', x };
  return { ...jwk, kid: await calculateJwkThumbprint(jwk) };
}
