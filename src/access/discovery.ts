/** What a provider says about itself (OpenID Connect Discovery 1.0), and what of it is believed. Pure. */

/** A provider's addresses; empty where it has none that is safe. */
export interface Metadata {
  authorize: string;
  token: string;
  keys: string;
  /** It can be asked for single claims. */
  asksClaims: boolean;
}

/** Where a provider describes itself. */
export function wellKnown(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
}

/** Whether secrets may go there: https, or this machine. */
export function isSafe(address: unknown): address is string {
  if (typeof address !== 'string' || !URL.canParse(address)) return false;
  const { protocol, hostname, username } = new URL(address);
  if (username !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname));
}

/** The addresses in a provider's document. Throws an Error that says what is wrong with it. */
export function metadataOf(document: unknown, issuer: string): Metadata {
  const found = (document ?? {}) as Record<string, unknown>;
  if (found.issuer !== issuer) throw new Error('its configuration names another issuer');
  const of = (name: string) => (isSafe(found[name]) ? found[name] : '');
  return {
    authorize: of('authorization_endpoint'),
    token: of('token_endpoint'),
    keys: of('jwks_uri'),
    asksClaims: found.claims_parameter_supported === true,
  };
}
