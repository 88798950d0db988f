import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSend } from '../../../src/platforms/app-service/driver/http.js';
import { until } from '../../support/until.js';

const send = createSend();
let server: Server;
let url: string;
let reached = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    reached += 1;
    if (request.url === '/silent') return;
    if (request.url === '/away') response.writeHead(302, { location: '/login' });
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => response.end(`${request.method} ${request.headers['x-who']} ${Buffer.concat(chunks)}`));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const calm = () => new AbortController().signal;

test('a request sends method, headers and body, and returns the response', async () => {
  const sent = { method: 'PUT', headers: { 'x-who': 'ann' }, body: 'grüße', signal: calm() };
  const answer = await send(url, sent);
  expect([answer.status, answer.body.toString('utf8')]).toEqual([200, 'PUT ann grüße']);
});

test('a redirect is returned and not followed', async () => {
  const { status, headers } = await send(`${url}/away`, { signal: calm() });
  expect([status, headers.location]).toEqual([302, '/login']);
});

test('a cancel ends the request at once, before it is sent or while it waits', async () => {
  const stop = new AbortController();
  const known = reached;
  const waiting = send(`${url}/silent`, { signal: stop.signal });
  await until('the request has arrived', () => reached === known + 1);
  stop.abort();
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  await expect(send(url, { signal: stop.signal })).rejects.toMatchObject({ name: 'AbortError' });
  expect(reached).toBe(known + 1);
});

test('a request without a response times out', async () => {
  await expect(send(`${url}/silent`, { signal: calm(), timeoutMs: 50 })).rejects.toThrow('no answer within 50 ms');
});
