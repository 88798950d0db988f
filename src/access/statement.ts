/** Signing a statement, and reading one back: a JWS by a person's own key or by one made for it (RFC 7515, RFC 8037). */
import { randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, decodeProtectedHeader, errors, importJWK, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { BEGINNINGS, LONGEST_TOKEN, type Statement } from '../model/access.js';
import { clean, duration } from '../model/text.js';
import { VERB_TABLE } from '../model/verbs.js';
import { type MessageVerb, STRATEGIES } from '../model/words.js';
import { type Jwk, publicJwk, type Signer } from './keys.js';
import type { Policy } from './policy.js';
import { type Certificate, type CertifiedKey, type Certify, nonceOf } from './statement-key.js';
import type { Subject } from './subject.js';

/** The only algorithm that is taken. */
const ALGORITHM = 'EdDSA';
const TYPE = 'sluice+jwt';
/** How far clocks may differ, in seconds. */
const TOLERANCE = 60;
/** How long most statements are valid, in ms. */
const SOON = 10 * 60_000;
/** As long as a release may wait in the queue, or an abort for a worker, in ms. */
const LATE = 7 * 86_400_000;
/** What may have to wait. An undo is for now: no queue takes one. */
const WAITING: ReadonlySet<Statement['act']> = new Set(['start', 'abort']);

/** The audience of a statement: a Temporal namespace, so that one for staging does not count in production. */
export function audienceOf(namespace: string): string {
  return `sluice:${namespace}`;
}

/** How long a statement is made valid, in ms. An abort may always have to wait; `waits`: so may this. */
export function validFor({ act }: Statement, waits = false): number {
  return act === 'abort' || waits ? longestOf(act) : SOON;
}

/** Longest that a statement may be valid, in ms, whoever has made it. */
function longestOf(act: Statement['act']): number {
  return WAITING.has(act) ? LATE : SOON;
}

/** Signs. `now` is ms since the epoch, `valid` ms. */
export async function sign(
  statement: Statement,
  signer: Signer | CertifiedKey,
  { audience, now, valid }: { audience: string; now: number; valid: number },
): Promise<string> {
  const own = 'kid' in signer;
  const token = new SignJWT({ ...statement }).setProtectedHeader({
    alg: ALGORITHM,
    typ: TYPE,
    ...(own ? { kid: signer.kid } : { jwk: signer.jwk, [signer.certificate.by]: signer.certificate.sealed }),
  });
  // For a key that was made for the statement, only the certificate says who signs.
  if (own) token.setIssuer(signer.name).setSubject(signer.name);
  return token
    .setAudience(audience)
    .setIssuedAt(Math.floor(now / 1000))
    .setExpirationTime(Math.floor((now + valid) / 1000))
    .setJti(randomUUID())
    .sign(signer.key);
}

/** A statement that is really by `subject`. Whether he may is another question. */
export interface Signed {
  subject: Subject;
  statement: Statement;
  /** Unique; a statement counts once. */
  id: string;
  /** ms since the epoch. */
  until: number;
}

/** Why a token is no proof of anything, in words for whoever sent it. */
export class BadToken extends Error {
  override readonly name: string = 'BadToken';
}

/** It could not be checked now: the provider is unavailable. */
export class NotChecked extends BadToken {
  override readonly name = 'NotChecked';
}

const verbs = Object.keys(VERB_TABLE) as [MessageVerb, ...MessageVerb[]];
const name = z.string().max(63);
const digest = z.string().max(200);
const SHAPE = z.union([
  z.object({
    act: z.enum(BEGINNINGS),
    app: name,
    environment: name,
    strategy: z.enum([...STRATEGIES, 'undo']),
    spec: digest.nullable(),
    release: digest.nullable(),
    replaces: z.boolean().optional(),
    hold: z.boolean().optional(),
    keepQueue: z.boolean().optional(),
  }),
  z.object({
    act: z.enum(verbs),
    app: name,
    environment: name,
    run: z.string().max(64),
    gate: z.object({ id: digest, stage: z.string().max(60), plan: digest, expires: z.number() }).optional(),
    comment: z.string().max(300).optional(),
    full: z.boolean().optional(),
    force: z.boolean().optional(),
    keep: z.boolean().optional(),
    unwatched: z.boolean().optional(),
    adopt: z.boolean().optional(),
  }),
]);

export interface ReadBy {
  policy: Policy;
  audience: string;
  /** ms since the epoch. */
  now: number;
  /** Who stands behind a key that was made for one statement. */
  certify: Certify;
}

/** Reads a token: by the policy's keys, or by the certificate of the key it was signed with. Errors: BadToken. */
export async function read(token: string, by: ReadBy): Promise<Signed> {
  if (token.length > LONGEST_TOKEN) throw new BadToken(`the token is longer than ${LONGEST_TOKEN} characters`);
  const header = headerOf(token);
  if (!('kid' in header)) return readCertified(token, header, by);
  const found = await personOf(by.policy, header.kid);
  if (found === null) throw new BadToken('it is signed with a key that the policy does not know');
  const { name } = found.subject;
  const { statement, id, until } = await verified(token, found.key, by, { issuer: name, subject: name });
  return { subject: found.subject, statement, id, until };
}

/** A key that was certified for one statement says that one once, whatever it signs. */
async function readCertified(
  token: string,
  { jwk, certificate }: { jwk: Jwk; certificate: Certificate },
  by: ReadBy,
): Promise<Signed> {
  const key = await importJWK(jwk, ALGORITHM).catch(() => {
    throw new BadToken('it is signed with an invalid key');
  });
  const { statement, signedAt, until } = await verified(token, key, by, {});
  const nonce = await nonceOf(jwk, statement);
  const subject = await by.certify(certificate, { nonce, signedAt, audience: by.audience });
  return { subject, statement, id: nonce, until };
}

async function verified(
  token: string,
  key: Awaited<ReturnType<typeof importJWK>>,
  { audience, now }: ReadBy,
  who: { issuer?: string; subject?: string },
) {
  const { payload } = await jwtVerify(token, key, {
    algorithms: [ALGORITHM],
    typ: TYPE,
    ...who,
    audience,
    requiredClaims: ['iat', 'exp', 'jti'],
    currentDate: new Date(now),
    clockTolerance: TOLERANCE,
  }).catch((error: unknown) => {
    throw new BadToken(worded(error));
  });
  const { iat = 0, exp = 0, jti = '' } = payload;
  if (iat * 1000 > now + TOLERANCE * 1000) throw new BadToken('it was signed in the future; check the clocks');
  const statement = SHAPE.safeParse(payload);
  if (!statement.success) throw new BadToken('it lacks fields that a statement of this kind needs');
  const { act } = statement.data;
  const longest = longestOf(act);
  if ((exp - iat) * 1000 > longest) {
    throw new BadToken(`it is valid for longer than ${duration(longest)}, the most for ${act}; sign it anew`);
  }
  return { statement: statement.data as Statement, id: clean(jti, 64), signedAt: iat * 1000, until: exp * 1000 };
}

function headerOf(token: string): { kid: string } | { jwk: Jwk; certificate: Certificate } {
  try {
    const { kid, alg, jwk, login, robot } = decodeProtectedHeader(token);
    if (alg !== ALGORITHM) throw new BadToken(`it is signed with ${clean(alg, 20)}; only ${ALGORITHM} is accepted`);
    if (typeof kid === 'string') return { kid };
    const certificate = certificateOf(login, robot);
    if (jwk?.kty === 'OKP' && jwk.crv === 'Ed25519' && typeof jwk.x === 'string' && certificate !== null) {
      return { jwk: { kty: 'OKP', crv: 'Ed25519', x: jwk.x }, certificate };
    }
  } catch (error) {
    if (error instanceof BadToken) throw error;
  }
  throw new BadToken('it is not a signed token');
}

function certificateOf(login: unknown, robot: unknown): Certificate | null {
  if (typeof login === 'string') return { by: 'login', sealed: login };
  return typeof robot === 'string' ? { by: 'robot', sealed: robot } : null;
}

type Known = Map<string, { subject: Subject; key: Awaited<ReturnType<typeof importJWK>> }>;

/** By thumbprint; made once for a policy, since thousands of tokens may come at once. */
const KNOWN = new WeakMap<Policy, Promise<Known>>();

async function peopleOf(policy: Policy): Promise<Known> {
  const known: Known = new Map();
  for (const [name, { keys, groups }] of Object.entries(policy.people)) {
    for (const text of keys) {
      const jwk = publicJwk(text);
      if (jwk === null) continue;
      known.set(await calculateJwkThumbprint(jwk), { subject: { name, groups }, key: await importJWK(jwk, ALGORITHM) });
    }
  }
  return known;
}

async function personOf(policy: Policy, kid: string) {
  const known = KNOWN.get(policy) ?? peopleOf(policy);
  KNOWN.set(policy, known);
  return (await known).get(kid) ?? null;
}

/** The claim alone, and never the token. */
function worded(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'it has expired; send it again';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'its signature is wrong';
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === 'aud' ? 'it is for another namespace' : `its ${error.claim} is missing or wrong`;
  }
  return 'it is not a readable token';
}
