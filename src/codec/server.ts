/** The codec server: Temporal's UI and CLI have payloads decoded here, by who holds the keys. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SluiceError } from '../model/errors.js';
import { clean } from '../model/text.js';
import { type Admission, type Admits, admission } from './bearer.js';
import type { EncryptionCodec } from './codec.js';
import { readPayloads, writePayloads } from './protocol.js';

export interface CodecServerOptions {
  codec: EncryptionCodec;
  host: string;
  /** 0 for a free one. */
  port: number;
  /** Pages that may ask, such as `http://localhost:8233`. */
  origins: string[];
  admission: Admission;
}

/** What a page of Temporal's message of 4 MB needs in base64, and some more. */
const BODY_AT_MOST = 8 * 1024 * 1024;
/** Headers that the UI sets. */
const HEADERS = 'content-type, x-namespace, authorization';
const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

/**
 * POST /encode and /decode. A page of another origin is refused, with or without what its browser keeps for it.
 * Errors: SLUICE_SETUP without a key, without an admission on an interface that others reach, or for a taken port.
 */
export async function serveCodec(options: CodecServerOptions): Promise<{ url: string; close(): Promise<void> }> {
  const { codec, host, port, admission: asked } = options;
  if (!codec.encrypts) {
    throw new SluiceError(
      'SLUICE_SETUP',
      'there is no key to decode with; set SLUICE_CODEC_KEYS or SLUICE_CODEC_KEYS_FILE',
    );
  }
  if (!LOOPBACK.has(host) && asked.token === null && asked.signed === null) {
    throw new SluiceError(
      'SLUICE_SETUP',
      `on ${host} anyone could decode payloads; require a token (--token-env, or --jwks with --issuer and --audience), or listen on loopback`,
    );
  }
  const admits = await admission(asked);
  const server = createServer((request, response) => {
    void answer(request, response, options, admits);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new SluiceError('SLUICE_SETUP', `the codec server cannot listen on ${host}:${port}: ${error.message}`)),
    );
    server.listen(port, host, resolve);
  });
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${name}:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { codec, origins }: CodecServerOptions,
  admits: Admits,
): Promise<void> {
  const { origin } = request.headers;
  const end = (status: number, body: unknown) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    response.writeHead(status, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      vary: 'origin',
      ...(origin !== undefined && origins.includes(origin) ? allowing(origin) : {}),
      // What is left of a body that nobody reads.
      ...(request.complete ? {} : { connection: 'close' }),
    });
    response.end(text);
  };
  const refuse = (status: number, message: string) => end(status, { error: message });
  try {
    // A page always says where it is from; Temporal's CLI says nothing.
    if (origin !== undefined && !origins.includes(origin)) {
      return refuse(
        403,
        `pages of ${clean(origin, 200)} are not allowed; add the origin with --ui-origin if it is the UI`,
      );
    }
    if (request.method === 'OPTIONS') return end(204, '');
    const work = { '/encode': codec.encode, '/decode': codec.decode }[pathOf(request)]?.bind(codec);
    if (work === undefined) return refuse(404, 'try POST /decode or POST /encode');
    if (request.method !== 'POST') return refuse(405, 'only POST');
    if (!(await admits(request.headers.authorization))) return refuse(401, 'send a bearer token that is accepted here');
    const body = await bodyOf(request);
    if (body === null) return refuse(413, `a body may have at most ${BODY_AT_MOST} bytes`);
    end(200, writePayloads(await work(readPayloads(body))));
  } catch (error) {
    if (error instanceof SluiceError) refuse(400, error.message);
    else response.destroy();
  }
}

function allowing(origin: string): Record<string, string> {
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': 'POST, OPTIONS',
    'access-control-allow-headers': HEADERS,
    'access-control-max-age': '600',
  };
}

/** The last part of the path: what comes before it, such as a namespace in the UI's endpoint, makes no difference. */
function pathOf(request: IncomingMessage): string {
  const { pathname } = new URL(request.url ?? '/', 'http://codec');
  return pathname.slice(pathname.lastIndexOf('/'));
}

/** Null for a body that is too large. */
async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > BODY_AT_MOST) return null;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}
