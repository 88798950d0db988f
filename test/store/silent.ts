/** Stores that do not answer, or do not go on, and a way to a store with other credentials. */
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** `nothing`: takes requests and never answers. `half`: begins to answer, with the first bytes of a body, and stops there. */
export async function silent(how: 'nothing' | 'half') {
  return listening(
    createServer((_, response) => {
      if (how === 'nothing') return;
      response.writeHead(200, { 'content-length': '1000', 'content-type': 'application/xml', etag: '"a"' });
      response.write('<?xml');
    }),
  );
}

/** The way to `to`, with whatever query of credentials there is at the time. */
export async function turning(to: string, query: () => string) {
  const { origin, pathname } = new URL(to);
  const way = await listening(
    createServer((incoming, response) => {
      const at = new URL(incoming.url ?? '/', origin);
      const passed = request(
        `${origin}${at.pathname}?${query()}`,
        { method: incoming.method, headers: { ...incoming.headers, host: new URL(origin).host } },
        (answer) => {
          response.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(response);
        },
      );
      passed.once('error', () => response.destroy());
      incoming.pipe(passed);
    }),
  );
  return { ...way, url: `${way.url}${pathname}` };
}

async function listening(server: Server) {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
