/** One delivery of a message to one webhook. */
import { SluiceError } from '../../src/model/errors.js';
import type { NotifySpec } from '../../src/model/spec.js';
import { clean } from '../../src/model/text.js';
import { fetchReason } from '../health/reason.js';
import type { NotifyMessage } from './message.js';
import { sign } from './signature.js';

/** Longest answer of a receiver, in ms. */
const TIMEOUT = 10_000;

/**
 * Posts the message, signed when the webhook has a secret. Any 2xx is a delivery. Redirects are not followed: a signed
 * message is for the address in the spec. Errors: SLUICE_SETUP for a secret this worker does not have; SLUICE_PROVIDER for
 * anything but a delivery, with the receiver's Retry-After.
 */
export async function post(
  { webhook, secretEnv }: NotifySpec,
  message: NotifyMessage,
  { now = Date.now(), timeout = TIMEOUT }: { now?: number; timeout?: number } = {},
): Promise<void> {
  const body = JSON.stringify(message);
  const timestamp = String(now);
  const signature = secretEnv === undefined ? null : sign(secretOf(secretEnv), timestamp, body);
  const response = await fetch(webhook, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': 'sluice',
      'x-sluice-id': message.id,
      'x-sluice-timestamp': timestamp,
      ...(signature === null ? {} : { 'x-sluice-signature': signature }),
    },
    body,
    redirect: 'manual',
    signal: AbortSignal.timeout(timeout),
  }).catch((error: unknown) => {
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

function secretOf(name: string): string {
  const secret = process.env[name];
  if (secret !== undefined && secret !== '') return secret;
  throw new SluiceError(
    'SLUICE_SETUP',
    `the worker has no environment variable ${clean(name)}, which notify.secretEnv names; set it and restart the worker`,
  );
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
