/** Who stands behind a key that was made for one statement: the person who logged in, or the CI's workflow. */
import { decodeJwt } from 'jose';
import { BadToken, type Certify, type Policy, personBy, robotAudience, robotBy } from '../access/index.js';
import { clean } from '../model/text.js';
import type { Envelopes } from './envelopes.js';
import type { Issuers } from './issuers.js';

/** Longest from a login to the statement that it is for, and how far clocks may differ, in ms. */
const FRESH = 10 * 60_000;
const TOLERANCE = 60_000;

/**
 * By this policy. A token must have been valid when the statement was signed, not now: it is for that statement alone, which
 * says itself how long it may wait for its turn.
 */
export function certifier(policy: Policy, envelopes: Envelopes, issuers: Issuers): Certify {
  return async ({ by, sealed }, { nonce, signedAt: at, audience }) => {
    const token = await envelopes.open(sealed);
    if (token === null) throw new BadToken('its login is not encrypted to these workers; send it again');
    const issuer = issuerOf(token);
    if (by === 'robot') {
      const known = Object.values(policy.robots).some((robot) => robot.issuer === issuer);
      if (!known) throw new BadToken(`the policy has no robot of ${clean(issuer, 200)}`);
      const claims = await issuers.verify(token, { issuer, audience: robotAudience(audience, nonce), at });
      fresh(claims.iat, at);
      return robotBy(claims, policy);
    }
    const login = policy.logins.find((each) => each.issuer === issuer);
    if (login === undefined) throw new BadToken(`the policy has no login of ${clean(issuer, 200)}`);
    const claims = await issuers.verify(token, { issuer, audience: login.clientId, at });
    // A token for several clients was asked for by the one in azp (OpenID Connect Core, 3.1.3.7).
    const several = Array.isArray(claims.aud) && claims.aud.length > 1;
    if ((several || claims.azp !== undefined) && claims.azp !== login.clientId) {
      throw new BadToken('the login was issued to a client other than the one in the policy');
    }
    if (claims.nonce !== nonce) throw new BadToken('the login was for something else, or with another key');
    fresh(claims.iat, at);
    return personBy(claims, login, policy);
  };
}

function issuerOf(token: string): string {
  try {
    return String(decodeJwt(token).iss);
  } catch {
    throw new BadToken('its login is not a readable token');
  }
}

function fresh(iat = 0, at: number): void {
  if (iat * 1000 > at + TOLERANCE || iat * 1000 < at - FRESH - TOLERANCE) {
    throw new BadToken('it was not signed right after the login; log in again');
  }
}
