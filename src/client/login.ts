/**
 * A login in the browser (OpenID Connect, authorization code with PKCE; RFC 8252 for programs): the provider sends the
 * browser back to a port of this machine. What comes of it is an ID token whose nonce says what it is for.
 */
import { createHash, randomBytes } from 'node:crypto';
import { decodeJwt } from 'jose';
import { type Metadata, metadataOf, wellKnown } from '../access/index.js';
import type { Provider } from '../model/access.js';
import { SluiceError } from '../model/errors.js';
import { clean } from '../model/text.js';
import { type Callback, listen } from './login-page.js';

/** How long a person may take, in ms. */
const PATIENCE = 3 * 60_000;
/** Longest wait for an answer of the provider, in ms. */
const WITHIN = 10_000;

/** How a person logs in from here. */
export interface LoginHost {
  /** `keyless`: if there is no key. `needed`: if there is none and a decision must be signed. */
  when: 'always' | 'keyless' | 'needed' | 'never';
  /** Which of several logins; null: the policy's first. */
  issuer: string | null;
  /** Shows a page in the browser; rejects if there is none. */
  open(url: string): Promise<void>;
  say(text: string): void;
  /** Ends the waiting. */
  signal?: AbortSignal;
}

/** An ID token for the nonce. Errors: SLUICE_ACCESS, also for one that takes longer than three minutes. */
export async function logIn(provider: Provider, nonce: string, host: LoginHost, patience = PATIENCE): Promise<string> {
  const { issuer, clientId, scopes } = provider;
  const { authorize, token, asksClaims } = await addressesOf(issuer);
  const [state, verifier] = [random(), random()];
  const desk = await listen(state);
  try {
    const url = new URL(authorize);
    const asked = {
      response_type: 'code',
      client_id: clientId,
      redirect_uri: desk.address,
      scope: [...new Set(['openid', ...scopes])].join(' '),
      state,
      nonce,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...(asksClaims ? { claims: claimsOf(provider) } : {}),
    };
    for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
    host.say(`to sign this, log in at ${clean(issuer, 300)}: ${url}`);
    await host
      .open(url.href)
      .catch(() => host.say('no browser could be opened; open the address above on this machine'));
    const back = await desk.callback(patience, host.signal);
    try {
      const idToken = await exchanged(back, { token, issuer, clientId, verifier, redirect: desk.address });
      if (decodeJwt(idToken).nonce !== nonce) throw failed(issuer, 'the response belongs to another login');
      await back.answer(null);
      host.say('logged in');
      return idToken;
    } catch (error) {
      const known = error instanceof SluiceError ? error : failed(issuer, reason(error));
      await back.answer(known.message);
      throw known;
    }
  } finally {
    desk.close();
  }
}

/** Some providers put into an ID token only what it is asked for by name (OpenID Connect Core, 5.5). */
function claimsOf({ claims }: Provider): string {
  return JSON.stringify({ id_token: Object.fromEntries(claims.map((claim) => [claim, null])) });
}

async function addressesOf(issuer: string): Promise<Metadata> {
  try {
    const answer = await fetch(wellKnown(issuer), { signal: AbortSignal.timeout(WITHIN), redirect: 'error' });
    if (!answer.ok) throw new Error(`its configuration could not be read (HTTP ${answer.status})`);
    const found = metadataOf(await answer.json(), issuer);
    if (found.authorize === '' || found.token === '')
      throw new Error('its configuration has no https addresses for the login');
    return found;
  } catch (error) {
    throw failed(issuer, reason(error));
  }
}

interface Exchange {
  token: string;
  issuer: string;
  clientId: string;
  verifier: string;
  redirect: string;
}

/** The code for the token; only who began the login has the verifier. */
async function exchanged(
  { query }: Callback,
  { token, issuer, clientId, verifier, redirect }: Exchange,
): Promise<string> {
  const error = query.get('error');
  if (error !== null) throw failed(issuer, clean(`${error} ${query.get('error_description') ?? ''}`, 200));
  // Which provider answers, where it says so (RFC 9207).
  if ((query.get('iss') ?? issuer) !== issuer) throw failed(issuer, 'the response came from another provider');
  const code = query.get('code');
  if (code === null) throw failed(issuer, 'the response has no code');
  const answer = await fetch(token, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirect,
      client_id: clientId,
      code_verifier: verifier,
    }),
    headers: { accept: 'application/json' },
    signal: AbortSignal.timeout(WITHIN),
    redirect: 'error',
  });
  const said = (await answer.json()) as Record<string, unknown>;
  if (typeof said.id_token === 'string') return said.id_token;
  throw failed(issuer, clean(`${said.error ?? `it answered ${answer.status}`} ${said.error_description ?? ''}`, 200));
}

function failed(issuer: string, why: string): SluiceError {
  return new SluiceError('SLUICE_ACCESS', `the login at ${issuer} failed: ${why.trim()}`);
}

function reason(error: unknown): string {
  const { name, message } = error as Error;
  if (name === 'TimeoutError') return 'it did not answer in time';
  return name === 'TypeError' ? 'it cannot be reached' : clean(message, 200);
}

function random(): string {
  return randomBytes(32).toString('base64url');
}
