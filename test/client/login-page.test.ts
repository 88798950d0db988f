/** The page that a browser comes back to after a login. */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { listen } from '../../src/client/login-page.js';

/** The first line of the answer to a request that no browser would send. */
async function raw(port: number, line: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.end(`${line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
  return (await text(socket)).split('\r\n')[0] ?? '';
}

test('an invalid address is refused, and the page keeps waiting', async () => {
  const desk = await listen('state');
  try {
    const port = Number(new URL(desk.address).port);
    for (const path of ['//', '//[', 'http://[', '/%'])
      expect([path, await raw(port, `GET ${path}`)]).toEqual([path, expect.stringMatching(/^HTTP\/1\.1 40[04] /)]);
    expect(await raw(port, 'GET //')).toBe('HTTP/1.1 400 Bad Request');
    const came = desk.callback(5_000);
    const page = fetch(`${desk.address}?state=state&code=c`);
    const { query, answer } = await came;
    expect(query.get('code')).toBe('c');
    await answer(null);
    expect((await page).status).toBe(200);
  } finally {
    desk.close();
  }
});
