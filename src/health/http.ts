/** One HTTP request of a probe. */
import type { ProbeSpec } from '../model/spec.js';
import type { Net, Response } from '../net/index.js';
import type { Address } from '../platforms/port.js';

/** Bytes of an answer that are read: enough for any health page. */
const MOST_BYTES = 64 * 1024;
const MOST_HOPS = 3;

export interface HttpAnswer {
  status: number;
  body: string;
  /** The body was longer than what was read. */
  cut: boolean;
}

/** An answer that is a failure of the release, whatever the spec expects. */
export class BadAnswer extends Error {
  override readonly name = 'BadAnswer';
}

/** The release that a probe is sent to; `address` where its URL asks for the host. */
export interface Receiver {
  version: string;
  address: Address | null;
}

const HOST = '{host}';

/** Whether the probe's URL leaves the host to the platform. */
export function asksForHost({ url = '' }: Pick<ProbeSpec, 'url'>): boolean {
  return url.includes(HOST);
}

/** The probe's URL for one release. */
export function urlFor({ url = '' }: Pick<ProbeSpec, 'url'>, { version, address }: Receiver): string {
  return url.replaceAll('{version}', encodeURIComponent(version)).replaceAll(HOST, address?.host ?? HOST);
}

/**
 * Sends the probe's request, marked by `X-Sluice-Probe`. Redirects are followed for GET and HEAD within the same origin only:
 * elsewhere another release, or a login page, would answer for this one, and the headers may hold secrets. An expected redirect is the answer itself.
 * Errors: BadAnswer; what fetch rejects with.
 */
export async function send(probe: ProbeSpec, receiver: Receiver, net: Net, signal: AbortSignal): Promise<HttpAnswer> {
  const { method = 'GET', headers, body, expect } = probe;
  let url = urlFor(probe, receiver);
  for (let hop = 0; ; hop += 1) {
    const response = await net.fetch(url, {
      method,
      headers: { ...headers, ...receiver.address?.headers, 'x-sluice-probe': '1' },
      ...(body === undefined ? {} : { body }),
      signal,
    });
    const next = response.headers.get('location');
    const redirects = response.status >= 300 && response.status < 400 && next !== null;
    const follows = redirects && response.status !== expect.status && (method === 'GET' || method === 'HEAD');
    if (!follows) return { status: response.status, ...(await readBody(response, MOST_BYTES)) };
    await response.body?.cancel();
    if (!URL.canParse(next, url)) throw new BadAnswer(`redirected to an invalid address: ${next}`);
    const to = new URL(next, url);
    if (to.origin !== new URL(url).origin) throw new BadAnswer(`redirected to another host: ${to.origin}`);
    if (hop === MOST_HOPS) throw new BadAnswer(`redirected more than ${MOST_HOPS} times`);
    url = to.href;
  }
}

/** The body up to `most` bytes, as text; `cut` when there was more. */
export async function readBody(response: Response, most: number): Promise<{ body: string; cut: boolean }> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader?.read()) {
    chunks.push(part.value);
    bytes += part.value.byteLength;
    if (bytes > most) {
      await reader?.cancel();
      break;
    }
  }
  return { body: Buffer.concat(chunks).subarray(0, most).toString('utf8'), cut: bytes > most };
}
