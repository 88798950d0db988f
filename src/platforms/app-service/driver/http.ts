/** Plain requests: to Kudu, to the hosts of a site, and to the parts of ARM that the SDK has no method for. */
import { request as plain } from 'node:http';
import { Agent, request as secure } from 'node:https';
import { cancelled } from '../../shared/failures.js';

export interface HttpRequest {
  method?: string;
  headers?: Record<string, string>;
  body?: Uint8Array | string;
  signal: AbortSignal;
  /** Longest silence of the other side, in ms. */
  timeoutMs?: number;
}

export interface HttpAnswer {
  status: number;
  /** By lower-case name. */
  headers: Record<string, string>;
  body: Buffer;
}

/** Follows no redirect: a login page would answer for the release. Rejects with the network's error, or an AbortError. */
export type Send = (url: string, request: HttpRequest) => Promise<HttpAnswer>;

/** Longest silence of a host, in ms: an upload of a large package included. */
const SILENCE = 120_000;

/** `ca`: certificates to trust instead of the system's, for private clouds. */
export function createSend(ca?: string): Send {
  const agent = new Agent({ keepAlive: false, maxSockets: 500, ...(ca === undefined ? {} : { ca }) });
  return (url, { method = 'GET', headers = {}, body, signal, timeoutMs = SILENCE }) =>
    new Promise<HttpAnswer>((resolve, reject) => {
      if (signal.aborted) return reject(cancelled());
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const options = { method, headers: { ...headers, ...length }, timeout: timeoutMs };
      const sent = url.startsWith('http:') ? plain(url, options) : secure(url, { ...options, agent });
      const leave = () => sent.destroy(cancelled());
      const settle = <T>(how: (value: T) => void) => {
        return (value: T) => {
          signal.removeEventListener('abort', leave);
          how(value);
        };
      };
      const fail = settle(reject);
      signal.addEventListener('abort', leave, { once: true });
      sent.on('error', fail);
      sent.on('timeout', () => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)));
      sent.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', fail);
        response.on(
          'end',
          settle(() =>
            resolve({
              status: response.statusCode ?? 0,
              headers: Object.fromEntries(
                Object.entries(response.headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]),
              ),
              body: Buffer.concat(chunks),
            }),
          ),
        );
      });
      sent.end(body);
    });
}
