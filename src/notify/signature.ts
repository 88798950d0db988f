/** The signature of a webhook's body, for the sender and for receivers. */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Oldest message a receiver takes, in ms: late enough for clocks that differ, early enough against replays. */
const TOLERANCE = 5 * 60_000;

/** `sha256=` and the hex HMAC-SHA256 of `<timestamp>.<body>`. */
export function sign(secret: string, timestamp: string, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

export interface SignedMessage {
  secret: string;
  /** Header names in any case, as Node's `request.headers` has them. */
  headers: Record<string, string | string[] | undefined>;
  /** The body exactly as received, before any parsing. */
  body: string;
  /** ms since the epoch; now unless given. */
  now?: number;
  /** Largest difference between `now` and the message's timestamp, in ms. Five minutes unless given. */
  tolerance?: number;
}

/** For receivers: whether the message was signed with `secret`, and lately. Compares in constant time; never throws. */
export function verifySignature(message: SignedMessage): boolean {
  const { secret, headers, body, now = Date.now(), tolerance = TOLERANCE } = message;
  const timestamp = header(headers, 'x-sluice-timestamp');
  const signature = header(headers, 'x-sluice-signature');
  if (secret === '' || timestamp === undefined || signature === undefined || !/^\d{1,16}$/.test(timestamp))
    return false;
  if (Math.abs(now - Number(timestamp)) > tolerance) return false;
  const [given, right] = [Buffer.from(signature), Buffer.from(sign(secret, timestamp, body))];
  return given.length === right.length && timingSafeEqual(given, right);
}

function header(headers: SignedMessage['headers'], name: string): string | undefined {
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return typeof found === 'string' ? found : undefined;
}
