/** HTTP for the emulated clouds: requests and answers with whole bodies, forwarded upstream. */
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';

/** A request or an answer with its whole body: what the gateway's rules look at. */
export interface Call {
  method: string;
  /** Path and query, as on the wire. */
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Sees each request with what was answered; null: the connection broke off. Where a test looks at all that was sent. */
export type OnCall = (call: Call, answer: Answer | null) => void;

/** Headers that belong to one connection, and those that node sets again by itself. */
const HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'expect', 'proxy-connection']);

/** The server behind the gateway. */
export interface Upstream {
  readonly url: string;
  call(call: Call): Promise<Answer>;
  close(): void;
}

/** Keep-alive connections to one HTTP server. An idle one is dropped before the server (75 s) would. */
export function upstreamOf(url: string): Upstream {
  const agent = new Agent({ keepAlive: true, maxSockets: 256, timeout: 30_000 });
  const { hostname, port } = new URL(url);
  const once = (call: Call): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = { ...endToEnd(call.headers), 'content-length': String(call.body.length) };
      const sent = request({ agent, hostname, port, method: call.method, path: call.path, headers }, (response) => {
        readBody(response).then(
          (body) => resolve({ status: response.statusCode ?? 502, headers: answered(call, response), body }),
          reject,
        );
      });
      sent.once('error', (error: Error & { code?: string }) => {
        // The server closed a kept connection just as we used it: it has not seen the request.
        if (sent.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE'))
          once(call).then(resolve, reject);
        else reject(error);
      });
      sent.end(call.body);
    });
  return { url, call: once, close: () => agent.destroy() };
}

export async function readBody(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export function send(response: ServerResponse, answer: Answer): void {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(answer.headers)) if (value !== undefined) headers[name] = value;
  // 204 and 304 have no body and must not claim one; the answer to a HEAD claims that of the GET.
  if (answer.status !== 204 && answer.status !== 304) headers['content-length'] ??= String(answer.body.length);
  response.writeHead(answer.status, headers);
  response.end(answer.body);
}

export function json(status: number, value: unknown, headers: IncomingHttpHeaders = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(value)),
  };
}

export function empty(status = 200, headers: IncomingHttpHeaders = {}): Answer {
  return { status, headers, body: Buffer.alloc(0) };
}

/** The JSON object in a body; empty when it is none. */
export function parse(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}

function answered(call: Call, response: IncomingMessage): IncomingHttpHeaders {
  const length = response.headers['content-length'];
  const headers = endToEnd(response.headers);
  return call.method === 'HEAD' && length !== undefined ? { ...headers, 'content-length': length } : headers;
}

function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP.has(name)));
}
