/**
 * Keys for one statement. A person's login or a CI job's token certifies such a key for that statement only, so nobody has to
 * keep a key, and what a history contains is of no use for anything else.
 */
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { CompactEncrypt, calculateJwkThumbprint, importJWK, type JWK } from 'jose';
import type { Statement } from '../model/access.js';
import { digestOf } from './digest.js';
import type { Jwk } from './keys.js';
import type { Subject } from './subject.js';

/** Who has certified a key, and by what: a provider's token, encrypted to the workers. */
export interface Certificate {
  by: 'login' | 'robot';
  /** Compact JWE. */
  sealed: string;
}

/** A key that was made for one statement. */
export interface StatementKey {
  jwk: Jwk;
  key: KeyObject;
}

export interface CertifiedKey extends StatementKey {
  certificate: Certificate;
}

/** Who stands behind a key, when `nonce` is of the key and its statement. `signedAt` is ms since the epoch. Errors: BadToken. */
export type Certify = (
  certificate: Certificate,
  of: { nonce: string; signedAt: number; audience: string },
) => Promise<Subject>;

export function statementKey(): StatementKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { x = '' } = publicKey.export({ format: 'jwk' });
  return { jwk: { kty: 'OKP', crv: 'Ed25519', x }, key: privateKey };
}

/** What is asked to be certified: this key for this statement. Base64url of a SHA-256. */
export async function nonceOf(jwk: Jwk, statement: Statement): Promise<string> {
  const thumbprint = await calculateJwkThumbprint(jwk);
  return createHash('sha256')
    .update(`${thumbprint}.${digestOf(statement)}`)
    .digest('base64url');
}

/** The audience that a CI job's token must have. Such a token has no nonce, so its audience carries it. */
export function robotAudience(audience: string, nonce: string): string {
  return `${audience}:${nonce}`;
}

export const SEAL_ALGORITHM = 'ECDH-ES';
export const SEAL_CIPHER = 'A256GCM';

/** Encrypts a provider's token to the workers (RFC 7516). */
export async function sealTo(worker: JWK, token: string): Promise<string> {
  return new CompactEncrypt(new TextEncoder().encode(token))
    .setProtectedHeader({
      alg: SEAL_ALGORITHM,
      enc: SEAL_CIPHER,
      ...(worker.kid === undefined ? {} : { kid: worker.kid }),
    })
    .encrypt(await importJWK(worker, SEAL_ALGORITHM));
}
