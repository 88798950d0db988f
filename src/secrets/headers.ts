/** Headers with their secrets in place, for one host. */
import { SluiceError } from '../model/errors.js';
import { isReference, type SecretUse } from '../model/secrets.js';
import type { Spec } from '../model/spec.js';
import type { Secrets } from './index.js';

/** What a header may hold (RFC 9110, 5.5); fetch's own complaint would quote the value. */
const FIELD = /^[\t\x20-\x7e\x80-\xff]*$/;

export interface Sending {
  spec: Pick<Spec, 'app' | 'environment'>;
  use: SecretUse;
  /** Where the headers go. A redirect elsewhere must not take them along. */
  url: string;
}

/** Errors: those of `resolve`; SLUICE_SECRET for a value that no header may have. */
export async function withSecrets(
  headers: Record<string, string> = {},
  { spec, use, url }: Sending,
  secrets: Secrets,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const { app, environment } = spec;
  const entries = Object.entries(headers).map(async ([name, value]) => {
    if (!isReference(value)) return [name, value];
    const secret = await secrets.resolve(value, { app, environment, use, host: hostOf(url) }, signal);
    if (!FIELD.test(secret.value)) {
      throw new SluiceError(
        'SLUICE_SECRET',
        `${value}: the value has characters that a header cannot contain, and it is used for header ${name}; keep it on one line`,
      );
    }
    return [name, secret.value];
  });
  return Object.fromEntries(await Promise.all(entries));
}

/**
 * The host of a URL as policies name it: with its port unless that is the HTTPS default, so that a rule for a host does not
 * allow what anyone on the way could read. An invalid URL has none, and nothing is sent to it.
 */
export function hostOf(url: string): string | null {
  if (!URL.canParse(url)) return null;
  const { protocol, hostname, host, port } = new URL(url);
  return protocol === 'http:' && port === '' ? `${hostname}:80` : host;
}

/** The headers of a metric's requests, with its bearer token. */
export async function metricHeaders(
  { headers, token }: { headers?: Record<string, string>; token?: string },
  sending: Omit<Sending, 'use'>,
  secrets: Secrets,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const to = { ...sending, use: 'metric' as const };
  const [given, bearer] = await Promise.all([
    withSecrets(headers, to, secrets, signal),
    withSecrets(token === undefined ? {} : { token }, to, secrets, signal),
  ]);
  return { ...given, ...(bearer.token === undefined ? {} : { authorization: `Bearer ${bearer.token}` }) };
}
