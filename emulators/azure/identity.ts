/** Entra's token endpoint and the managed identity's, which give the tokens that ARM and Kudu take. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Answer, type Call, json } from '../http.js';

/** Seconds that a token is good for. */
const LIFETIME = 3_600;

export interface Client {
  id: string;
  secret: string;
}

/** Tokens are signed by a kept key, so that those given out survive a restart. */
export class Tokens {
  constructor(readonly key: string) {}

  issue(subject: string, audience: string, now = Date.now()): { token: string; expires: number } {
    const expires = Math.floor(now / 1000) + LIFETIME;
    const said = [
      { alg: 'HS256', typ: 'JWT' },
      { sub: subject, aud: audience, exp: expires },
    ];
    const body = said.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    return { token: `${body}.${this.#sign(body)}`, expires };
  }

  /** Who the bearer of an authorization header is; null for none, a forged one, or one whose time is over. */
  holder(authorization: string | undefined, now = Date.now()): string | null {
    const [, token = ''] = /^Bearer (.+)$/.exec(authorization ?? '') ?? [];
    const [head = '', claims = '', signature = ''] = token.split('.');
    const [given, right] = [Buffer.from(signature), Buffer.from(this.#sign(`${head}.${claims}`))];
    if (given.length !== right.length || !timingSafeEqual(given, right)) return null;
    const { sub, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as { sub: string; exp: number };
    return exp * 1000 > now ? sub : null;
  }

  #sign(text: string): string {
    return createHmac('sha256', this.key).update(text).digest('base64url');
  }
}

/** Null: not a page of Entra's. `base` is the authority's own address. */
export function entra(
  call: Call,
  { base, tokens, client }: { base: string; tokens: Tokens; client: Client },
): Answer | null {
  const [, tenant = '', page = ''] =
    /^\/([^/]+)\/((?:v2\.0\/)?\.well-known\/openid-configuration|oauth2\/v2\.0\/token)(?:\?|$)/.exec(call.path) ?? [];
  if (page === '') return null;
  if (page.endsWith('openid-configuration')) {
    return json(200, {
      issuer: `${base}/${tenant}/v2.0`,
      authorization_endpoint: `${base}/${tenant}/oauth2/v2.0/authorize`,
      token_endpoint: `${base}/${tenant}/oauth2/v2.0/token`,
      jwks_uri: `${base}/${tenant}/discovery/v2.0/keys`,
      response_types_supported: ['code'],
      subject_types_supported: ['pairwise'],
      id_token_signing_alg_values_supported: ['RS256'],
    });
  }
  const form = new URLSearchParams(call.body.toString('utf8'));
  const refuse = (error: string, text: string) =>
    json(error === 'invalid_client' ? 401 : 400, { error, error_description: text });
  if (form.get('grant_type') !== 'client_credentials')
    return refuse('unsupported_grant_type', 'AADSTS70003: The app requested an unsupported grant type.');
  // A federated assertion (workload identity) is taken from the client it names; nobody here could check its issuer.
  const proven = form.get('client_secret') === client.secret || (form.get('client_assertion') ?? '') !== '';
  if (form.get('client_id') !== client.id || !proven)
    return refuse('invalid_client', 'AADSTS7000215: Invalid client secret provided.');
  const { token } = tokens.issue(client.id, form.get('scope') ?? '');
  return json(200, { token_type: 'Bearer', expires_in: LIFETIME, ext_expires_in: LIFETIME, access_token: token });
}

/** The endpoint that IDENTITY_ENDPOINT names in App Service ("How to use managed identities", REST endpoint reference). */
export function managedIdentity(call: Call, { tokens, header }: { tokens: Tokens; header: string }): Answer {
  const url = new URL(call.path, 'http://127.0.0.1');
  if (url.pathname !== '/msi/token') return json(404, { message: 'not found' });
  if (call.headers['x-identity-header'] !== header) return json(401, { message: 'X-IDENTITY-HEADER is wrong' });
  const resource = url.searchParams.get('resource') ?? '';
  const { token, expires } = tokens.issue('managed-identity', resource);
  return json(200, {
    access_token: token,
    expires_on: String(expires),
    resource,
    token_type: 'Bearer',
    client_id: 'managed-identity',
  });
}
