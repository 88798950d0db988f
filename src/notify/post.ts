/** One delivery of a message to one webhook. */

import type { Egress } from '../egress/index.js';
import { fetchReason } from '../health/reason.js';
import { SluiceError } from '../model/errors.js';
import type { NotifySpec, Spec } from '../model/spec.js';
import { clean } from '../model/text.js';
import { hostOf } from '../secrets/headers.js';
import type { NotifyMessage } from './message.js';
import { sign } from './signature.js';

/** Longest answer of a receiver, in ms. */
const TIMEOUT = 10_000;

export interface Posting {
  spec: Pick<Spec, 'app' | 'environment'>;
  egress: Egress;
  /** ms since the epoch; now unless given. */
  now?: number;
  /** Longest answer, in ms. */
  timeout?: number;
}

/**
 * Posts the message, signed when the webhook has a secret. Any 2xx is a delivery. Redirects are not followed: a signed
 * message is for the address in the spec. Errors: those of reading the secret; SLUICE_ADDRESS; SLUICE_PROVIDER for anything but a
 * delivery, with the receiver's Retry-After.
 */
export async function post(
  { webhook, secret }: NotifySpec,
  message: NotifyMessage,
  { spec, egress, now = Date.now(), timeout = TIMEOUT }: Posting,
): Promise<void> {
  const body = JSON.stringify(message);
  const timestamp = String(now);
  const signing = secret === undefined ? null : await signingSecret(secret, webhook, { spec, egress });
  const signature = signing === null ? null : sign(signing, timestamp, body);
  const response = await egress.net
    .fetch(webhook, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'sluice',
        'x-sluice-id': message.id,
        'x-sluice-timestamp': timestamp,
        ...(signature === null ? {} : { 'x-sluice-signature': signature }),
      },
      body,
      signal: AbortSignal.timeout(timeout),
    })
    .catch((error: unknown) => {
      if (error instanceof SluiceError) throw error;
      throw new SluiceError('SLUICE_PROVIDER', `${nameOf(webhook)} could not be reached: ${reasonOf(error, timeout)}`);
    });
  await response.body?.cancel().catch(() => {});
  if (response.ok) return;
  throw new SluiceError(
    'SLUICE_PROVIDER',
    `${nameOf(webhook)} answered ${response.status}`,
    retryAfter(response.headers.get('retry-after')),
  );
}

/** Only the signature goes to the host, not the secret. The policy is asked anyway: whoever signs speaks for us. */
async function signingSecret(reference: string, webhook: string, { spec, egress }: Posting): Promise<string> {
  const { app, environment } = spec;
  const ask = { app, environment, use: 'webhook' as const, host: hostOf(webhook) };
  return (await egress.secrets.resolve(reference, ask, AbortSignal.timeout(TIMEOUT))).value;
}

/** The webhook without its path: many have their secret there. */
function nameOf(webhook: string): string {
  return URL.canParse(webhook) ? `the webhook at ${new URL(webhook).host}` : 'the webhook';
}

function reasonOf(error: unknown, timeout: number): string {
  const reason = fetchReason(error);
  return reason === 'TimeoutError' ? `no answer within ${timeout} ms` : clean(reason);
}

/** `Retry-After` in seconds (RFC 9110, 10.2.3), as milliseconds; a date is left to the usual back-off. */
function retryAfter(value: string | null): number | undefined {
  return value !== null && /^\d{1,4}$/.test(value) ? Number(value) * 1_000 : undefined;
}
