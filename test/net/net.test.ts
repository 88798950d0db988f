import type { LookupAddress } from 'node:dns';
import { createNet, type Lookup } from '../../src/net/index.js';
import { serve, type TestServer } from '../health/server.js';

/** A name server that says what it is told, one answer after the other, and the last one again. */
function names(...answers: string[][]): { lookup: Lookup; asked: number } {
  const of = { lookup: (() => {}) as Lookup, asked: 0 };
  of.lookup = (_host, _options, found) => {
    const answer = answers[Math.min(of.asked, answers.length - 1)] ?? [];
    of.asked += 1;
    found(
      null,
      answer.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return of;
}

let server: TestServer;
beforeAll(async () => {
  server = await serve((request, response) => {
    if (request.url === '/there') response.writeHead(302, { location: '/here' });
    response.end(`port ${request.socket.remotePort}`);
  });
});
afterAll(() => server.close());

const portOf = () => new URL(server.url).port;

test.each([
  ['http://127.0.0.1:8099/', '127.0.0.1 is loopback'],
  ['http://2130706433:8099/', '127.0.0.1 is loopback'],
  ['http://0x7f.1:8099/', '127.0.0.1 is loopback'],
  ['http://[::1]:8099/', '::1 is loopback'],
  ['http://[::ffff:7f00:1]:8099/', '::ffff:7f00:1 is loopback'],
  ['http://169.254.169.254/latest/meta-data/', '169.254.169.254 is metadata'],
  ['http://0:8099/', '0.0.0.0 is unspecified'],
])('a literal address is refused in every spelling: %s', async (url, said) => {
  const net = createNet('');
  const refused = { code: 'SLUICE_ADDRESS', message: expect.stringContaining(said) };
  await expect(net.fetch(url, {})).rejects.toMatchObject(refused);
  await expect(net.check(url)).rejects.toMatchObject(refused);
});

test('a name is refused if any address it resolves to at connection time is refused', async () => {
  const { lookup } = names(['10.1.2.3', '169.254.169.254']);
  await expect(createNet('', lookup).fetch('http://shop.example.com/', {})).rejects.toMatchObject({
    code: 'SLUICE_ADDRESS',
    message: expect.stringContaining('shop.example.com is 169.254.169.254, which is metadata'),
  });
});

test('a name that resolves differently after the check does not pass', async () => {
  const rebinding = names(['10.1.2.3'], ['127.0.0.1']);
  const net = createNet('', rebinding.lookup);
  const url = `http://shop.example.com:${portOf()}/`;
  await net.check(url);
  await expect(net.fetch(url, {})).rejects.toMatchObject({ code: 'SLUICE_ADDRESS' });
  expect(rebinding.asked).toBe(2);
});

test('an allowed address can be reached, connections are kept open, and a redirect is an answer', async () => {
  const net = createNet('loopback', names(['127.0.0.1']).lookup);
  const url = `http://shop.example.com:${portOf()}`;
  const bodies = [];
  for (let i = 0; i < 12; i += 1) bodies.push(await (await net.fetch(`${url}/`, {})).text());
  // A connection that is just being handed back may not be seen yet: then there is a second one.
  expect(new Set(bodies).size).toBeLessThan(4);
  const redirect = await net.fetch(`${url}/there`, {});
  expect([redirect.status, redirect.headers.get('location')]).toEqual([302, '/here']);
  await redirect.body?.cancel();
});

test('an error of fetch itself stays as it is', async () => {
  const gone = await serve(() => {});
  await gone.close();
  await expect(createNet('loopback').fetch(gone.url, {})).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
});
