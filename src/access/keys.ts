/** A person's own key: Ed25519, made on his machine, known to the policy by its public half. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';

/** Who signs, and with what. */
export interface Signer {
  /** The name in the policy. */
  name: string;
  /** Thumbprint of the public key (RFC 7638). */
  kid: string;
  key: KeyObject;
}

/** The content of the key file. */
export interface KeyFile {
  name: string;
  /** `ed25519:…`, for the policy. */
  public: string;
  /** PKCS 8 in PEM. */
  private: string;
}

const PUBLIC = /^ed25519:([A-Za-z0-9_-]{43})$/;

export function newKey(name: string): KeyFile {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    name,
    public: writePublic(publicKey),
    private: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** `ed25519:` and the key in base64url, as a policy has it. */
function writePublic(key: KeyObject): string {
  return `ed25519:${key.export({ format: 'jwk' }).x ?? ''}`;
}

export function isPublicKey(text: string): boolean {
  return publicJwk(text) !== null;
}

/** An Ed25519 public key (RFC 8037). */
export type Jwk = { kty: 'OKP'; crv: 'Ed25519'; x: string };

/**
 * The public key as a JWK. Null if the text is not a key, or spells one in a non-canonical way: otherwise one key could pass
 * as two people.
 */
export function publicJwk(text: string): Jwk | null {
  const x = PUBLIC.exec(text)?.[1];
  // The last character has two bits to spare, which decoding leaves out.
  if (x === undefined || Buffer.from(x, 'base64url').toString('base64url') !== x) return null;
  return { kty: 'OKP', crv: 'Ed25519', x };
}

/** The signer of a key file's content. Throws if it is not a key file. */
export async function signerOf(file: KeyFile): Promise<Signer> {
  const key = createPrivateKey(file.private);
  const jwk = key.asymmetricKeyType === 'ed25519' ? publicJwk(writePublic(createPublicKey(key))) : null;
  if (jwk === null || typeof file.name !== 'string' || file.name === '')
    throw new Error('not an Ed25519 key with a name');
  return { name: file.name, kid: await calculateJwkThumbprint(jwk), key };
}
