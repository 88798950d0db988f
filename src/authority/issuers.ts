/**
 * Verifying a provider's tokens by the keys that it publishes. A provider that is away costs a few seconds once, and not for
 * every token: whoever sends thousands must keep no abort out.
 */
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { BadToken, metadataOf, NotChecked, wellKnown } from '../access/index.js';
import { clean } from '../model/text.js';

/** Never `none`, and nothing whose key is a secret that two share. */
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];
/** How far clocks may differ, in seconds. */
const TOLERANCE = 60;
/** Longest wait for a provider's answer, in ms. */
const WITHIN = 3_000;
/** How long a provider that did not answer is not asked again, in ms. */
const AWAY = 10_000;
/** How long a provider's document is cached, in ms. Its keys are read again whenever one is missing. */
const KEPT = 3_600_000;

interface Provider {
  keys: Promise<JWTVerifyGetKey>;
  until: number;
}

export interface Expected {
  issuer: string;
  audience: string;
  /** When it must have been valid, ms since the epoch. */
  at: number;
}

export class Issuers {
  private readonly providers = new Map<string, Provider>();
  private readonly away = new Map<string, { until: number; why: string }>();

  /** `within`: ms for each answer of a provider. */
  constructor(private readonly within = WITHIN) {}

  /** The claims of a token that the issuer has signed for the audience. Errors: BadToken, NotChecked. */
  async verify(token: string, { issuer, audience, at }: Expected): Promise<JWTPayload> {
    const away = this.away.get(issuer);
    if (away !== undefined && away.until > Date.now()) throw new NotChecked(away.why);
    try {
      const keys = await this.keysOf(issuer);
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ALGORITHMS,
        issuer,
        audience,
        requiredClaims: ['iat', 'exp'],
        currentDate: new Date(at),
        clockTolerance: TOLERANCE,
      });
      return payload;
    } catch (error) {
      const bad = worded(error, issuer);
      if (bad !== null) throw new BadToken(bad);
      const why = `it could not be checked with ${issuer}: ${failing(error)}. Send it again, or sign with a key`;
      this.away.set(issuer, { until: Date.now() + AWAY, why });
      throw new NotChecked(why);
    }
  }

  private keysOf(issuer: string): Promise<JWTVerifyGetKey> {
    const kept = this.providers.get(issuer);
    if (kept !== undefined && kept.until > Date.now()) return kept.keys;
    const keys = discovered(issuer, this.within);
    this.providers.set(issuer, { keys, until: Date.now() + KEPT });
    // What failed is asked for again.
    keys.catch(() => this.providers.delete(issuer));
    return keys;
  }
}

async function discovered(issuer: string, within: number): Promise<JWTVerifyGetKey> {
  const answer = await fetch(wellKnown(issuer), { signal: AbortSignal.timeout(within), redirect: 'error' });
  if (!answer.ok) throw new Error(`it answers ${answer.status} for its configuration`);
  const { keys } = metadataOf(await answer.json(), issuer);
  if (keys === '') throw new Error('it names no address for its keys');
  return createRemoteJWKSet(new URL(keys), { timeoutDuration: within });
}

/** Why the token is bad; null when it is the provider that fails. */
function worded(error: unknown, issuer: string): string | null {
  if (error instanceof errors.JWTExpired) return 'the login has expired; log in again';
  if (error instanceof errors.JWSSignatureVerificationFailed) return `${issuer} has not signed the login`;
  if (error instanceof errors.JOSEAlgNotAllowed) return `the login is not signed with one of ${ALGORITHMS.join(', ')}`;
  if (error instanceof errors.JWKSNoMatchingKey)
    return `the login is signed with a key that ${issuer} does not publish`;
  if (error instanceof errors.JWKSMultipleMatchingKeys) return 'the login does not say which key has signed it';
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'iss') return 'the login is from another issuer';
    if (error.claim === 'aud') return 'the login is for a client other than the one in the policy';
    return `the login's ${clean(error.claim, 30)} is missing or wrong`;
  }
  const unreadable = [errors.JWTInvalid, errors.JWSInvalid, errors.JOSENotSupported];
  return unreadable.some((each) => error instanceof each) ? 'the login is not a readable token' : null;
}

/** What a provider did instead of answering. */
function failing(error: unknown): string {
  const { name, message } = error as Error;
  if (error instanceof errors.JWKSTimeout || name === 'TimeoutError') return 'it did not answer in time';
  return name === 'TypeError' ? 'it cannot be reached' : clean(message, 200);
}
