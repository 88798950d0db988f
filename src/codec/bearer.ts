/** Who may decode payloads: anyone with the token, or with one signed by an identity provider. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** What a codec server asks for. All null: nothing, so it must stay on loopback. */
export interface Admission {
  /** The one secret, as Temporal's CLI sends it with `--codec-auth "Bearer …"`. */
  token: string | null;
  /** Access tokens of users, as the UI passes them on. */
  signed: { jwks: string; issuer: string; audience: string } | null;
}

/** Answers whether the value of an Authorization header is admitted. */
export type Admits = (authorization: string | undefined) => Promise<boolean>;

export async function admission({ token, signed }: Admission): Promise<Admits> {
  if (token === null && signed === null) return async () => true;
  const verified = signed === null ? async () => false : await verifier(signed);
  return async (authorization) => {
    const brought = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (brought === undefined) return false;
    return (token !== null && same(brought, token)) || (await verified(brought));
  };
}

async function verifier({ jwks, issuer, audience }: NonNullable<Admission['signed']>) {
  const { createRemoteJWKSet, jwtVerify } = await import('jose');
  const keys = createRemoteJWKSet(new URL(jwks));
  return (token: string) =>
    jwtVerify(token, keys, { issuer, audience, requiredClaims: ['exp'] }).then(
      () => true,
      () => false,
    );
}

/** In a time that says nothing of how much is the same. */
function same(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
