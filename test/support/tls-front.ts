/** TLS before a server that has none: ends the encryption, asks for a client's certificate, passes the bytes on. */
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { Issued } from './certificates.js';

export interface TlsFront {
  port: number;
  close(): Promise<void>;
}

/** On a free port of loopback. Whoever brings no certificate of `clientCa` is sent away in the handshake. */
export async function startTlsFront(behind: number, own: Issued, clientCa: string): Promise<TlsFront> {
  const open = new Set<{ destroy(): void }>();
  const keep = (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket)).on('error', () => socket.destroy());
  };
  const server = createServer(
    { ...own, ca: clientCa, requestCert: true, rejectUnauthorized: true, ALPNProtocols: ['h2'], minVersion: 'TLSv1.2' },
    (socket) => {
      const inner = connect(behind, '127.0.0.1');
      keep(socket);
      keep(inner);
      socket.once('close', () => inner.destroy()).pipe(inner);
      inner.once('close', () => socket.destroy()).pipe(socket);
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const each of open) each.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
