/** A way to a store that breaks. */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** In the middle of what is sent, or after it has had its effect. */
type Break = 'body' | 'answer';

/** A server that passes everything on to `to` but the first requests with a body, which break as `breaks` says. */
export async function breaking(to: string, breaks: Break[]) {
  const left = [...breaks];
  const broken: Break[] = [];
  const server = createServer((incoming, response) => {
    const how = incoming.method === 'PUT' ? left.shift() : undefined;
    if (how !== undefined) broken.push(how);
    if (how === 'body') {
      incoming.once('data', () => incoming.socket.destroy());
      return;
    }
    const target = new URL(to);
    const passed = request(
      {
        host: target.hostname,
        port: target.port,
        method: incoming.method,
        path: incoming.url,
        headers: incoming.headers,
      },
      (answer) => {
        if (how === 'answer') {
          answer.resume();
          answer.once('end', () => incoming.socket.destroy());
          return;
        }
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    passed.once('error', () => response.destroy());
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    broken: () => broken,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
