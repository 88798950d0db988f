/** Emulated Azure: the HTTP server that its services share. */
import { createServer as createPlain, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { type Answer, type Call, json, readBody, send } from '../http.js';
import type { Certificates } from './certificates.js';

/** What becomes of a request: an answer, or a connection that breaks off. */
export type Reaction = Answer | 'reset';
/** `gone` aborts when the client has left. */
export type Handler = (call: Call, gone: AbortSignal) => Promise<Reaction>;

export interface Listener {
  port: number;
  close(): Promise<void>;
}

/** Serves on a port of 127.0.0.1; over TLS with certificates, plain without. Rejects when the port is taken. */
export async function listen(port: number, certificates: Certificates | null, handler: Handler): Promise<Listener> {
  const serve = (incoming: IncomingMessage, response: ServerResponse) => void answer(incoming, response, handler);
  const server: Server =
    certificates === null
      ? createPlain(serve)
      : createSecure({ cert: certificates.cert, key: certificates.key }, serve);
  // An idle connection is never closed from here: a client that takes it up at that moment would lose its request.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function answer(incoming: IncomingMessage, response: ServerResponse, handler: Handler): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  try {
    const body = await readBody(incoming);
    const { method = 'GET', url = '/', headers } = incoming;
    const reaction = await handler({ method, path: url, headers, body }, gone.signal).catch(failed);
    if (reaction === 'reset') response.destroy();
    else send(response, reaction);
  } catch {
    // The client went away in the middle; what it asked for was done or not, as on any network.
    response.destroy();
  }
}

/** A mistake of the emulator's own must be seen, and not be taken for one of Azure's answers. */
function failed(error: unknown): Answer {
  const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return json(501, { error: { code: 'EmulatorFailed', message: `The emulated Azure failed: ${why}` } });
}
