/** Key Vault's own API: the values that references in settings stand for ("Get Secret", Key Vault REST API). */
import { createHash } from 'node:crypto';
import { type Answer, type Call, json } from '../http.js';
import { armError } from './answers.js';

/** What reading a secret needs, as Azure's roles name it. */
export const READ_SECRET = 'microsoft.keyvault/vaults/secrets/getsecret/action';

/** A real vault has a host of its own; here it is a path below the one of Resource Manager. */
export function isVault(path: string): boolean {
  return path.startsWith('/vaults/');
}

/** What an unsigned request is answered, from which a client knows whom to ask for a token ("Authentication, requests and responses"). */
export function challenge(authority: string): Answer {
  const said = `Bearer authorization="${authority}", resource="https://vault.azure.net"`;
  const answer = armError(401, 'Unauthorized', 'AKV10000: Request is missing a Bearer or PoP token.');
  return { ...answer, headers: { ...answer.headers, 'www-authenticate': said } };
}

/** `GET /vaults/VAULT/secrets/NAME[/VERSION]`: the newest version is named by what it holds, so that another value is another one. */
export function vault({ method, path }: Call, secrets: Record<string, string>): Answer {
  const [, name = '', secret = '', version] =
    /^\/vaults\/([^/]+)\/secrets\/([^/?]+)\/?([^/?]+)?(?:\?|$)/.exec(path.toLowerCase()) ?? [];
  const newest = `https://${name}.vault.azure.net/secrets/${secret}`;
  const uri = version === undefined ? newest : `${newest}/${version}`;
  const value = Object.entries(secrets).find(([known]) => known.toLowerCase() === uri)?.[1];
  if (method !== 'GET' || value === undefined) {
    return armError(404, 'SecretNotFound', `A secret with (name/id) ${secret} was not found in this key vault.`);
  }
  const id = `${newest}/${version ?? createHash('sha256').update(value).digest('hex').slice(0, 32)}`;
  return json(200, { value, id, attributes: { enabled: true } });
}
