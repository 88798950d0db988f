/** A real provider on loopback, and a browser that logs in there as whoever it is told. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';
import type { Provider as Server } from 'oidc-provider';

export const CLIENT = 'sluice-cli';

const LIVED = ['AccessToken', 'AuthorizationCode', 'Grant', 'IdToken', 'Interaction', 'Session'];

type Claims = Record<string, unknown>;

/** `accounts`: by the account's id, what the provider says of it. */
export async function startProvider(accounts: Record<string, Claims>) {
  let provider: Server | null = null;
  const server = createServer((request, response) => {
    if (provider === null) return void response.writeHead(503).end();
    if (!request.url?.startsWith('/interaction/')) return provider.callback()(request, response);
    // The page where a person would say who he is.
    void provider.interactionFinished(request, response, {
      login: { accountId: request.headers['x-account'] },
      consent: {},
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const { warn } = console;
  // It says that it is for newer Node and keeps all in memory.
  console.warn = () => undefined;
  const { Provider } = await import('oidc-provider');
  const built = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT,
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        redirect_uris: ['http://127.0.0.1/callback'],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: 'one', alg: 'ES256', use: 'sig' }] },
    cookies: { keys: ['a test'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups'] },
    features: { devInteractions: { enabled: false }, claimsParameter: { enabled: true } },
    pkce: { required: () => true },
    interactions: { url: (_ctx: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    ttl: Object.fromEntries(LIVED.map((what) => [what, 600])),
    findAccount: (_ctx: unknown, accountId: string) =>
      accounts[accountId] && { accountId, claims: () => ({ sub: accountId, ...accounts[accountId] }) },
    loadExistingGrant: async ({ oidc }: { oidc: { session: { accountId: string } } }) => {
      const grant = new built.Grant({ accountId: oidc.session.accountId, clientId: CLIENT });
      grant.addOIDCScope('openid email profile');
      grant.addOIDCClaims(['email', 'email_verified', 'groups']);
      await grant.save();
      return grant;
    },
  });
  console.warn = warn;
  provider = built;
  return {
    issuer,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Logs in as an account: follows the provider's redirects with its cookies, to the end. Answers the last page. */
export async function browse(url: string, account: string): Promise<{ status: number; text: string }> {
  const cookies = new Map<string, string>();
  let next = url;
  for (let hops = 0; hops < 10; hops += 1) {
    const cookie = [...cookies].map((each) => each.join('=')).join('; ');
    const answer = await fetch(next, { redirect: 'manual', headers: { cookie, 'x-account': account } });
    for (const set of answer.headers.getSetCookie()) {
      const [name = '', value = ''] = (set.split(';')[0] ?? '').split('=');
      cookies.set(name, value);
    }
    const location = answer.headers.get('location');
    if (location === null) return { status: answer.status, text: await answer.text() };
    next = new URL(location, next).href;
  }
  throw new Error(`the login goes round in circles at ${next}`);
}
