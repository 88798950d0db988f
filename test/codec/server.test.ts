import { randomBytes } from 'node:crypto';
import { OAuth2Server } from 'oauth2-mock-server';
import { freePort } from '../../emulators/process.js';
import { codecOf, serveCodec } from '../../src/codec/index.js';
import { play } from '../cli/fake.js';
import { until } from '../support/until.js';

const KEYS = `one:${randomBytes(32).toString('base64')}`;
const UI = 'http://ui.example:8233';
const PLAIN = { metadata: { encoding: b64('json/plain') }, data: b64('{"a":1}') };
const OPEN = { token: null, signed: null };

type Server = Awaited<ReturnType<typeof serveCodec>>;
const servers: Server[] = [];
afterAll(() => Promise.all(servers.map((server) => server.close())));

async function serve(admission: Parameters<typeof serveCodec>[0]['admission'] = OPEN): Promise<string> {
  const codec = codecOf({ SLUICE_CODEC_KEYS: KEYS });
  const server = await serveCodec({ codec, host: '127.0.0.1', port: 0, origins: [UI], admission });
  servers.push(server);
  return server.url;
}

function b64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

describe('the codec server', () => {
  test('encodes and decodes what the UI and the CLI send', async () => {
    const url = await serve();
    const encoded = (await (await post(`${url}/encode`, { payloads: [PLAIN] })).json()) as {
      payloads: (typeof PLAIN)[];
    };
    expect(encoded.payloads[0]?.metadata).toEqual({
      encoding: b64('binary/encrypted'),
      'encryption-key-id': b64('one'),
    });
    // The UI may have the namespace in its endpoint.
    const decoded = await post(`${url}/default/decode`, { payloads: [encoded.payloads[0], PLAIN] });
    expect(await decoded.json()).toEqual({ payloads: [PLAIN, PLAIN] });
  });

  test("allows the UI's pages, with the headers that browsers want", async () => {
    const url = await serve();
    const preflight = await fetch(`${url}/decode`, {
      method: 'OPTIONS',
      headers: { origin: UI, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-namespace' },
    });
    expect(preflight.status).toBe(204);
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      'access-control-allow-origin': UI,
      'access-control-allow-headers': 'content-type, x-namespace, authorization',
      'access-control-allow-credentials': 'true',
    });
    expect(
      (await post(`${url}/decode`, { payloads: [] }, { origin: UI })).headers.get('access-control-allow-origin'),
    ).toBe(UI);
  });

  test('refuses other pages, whatever they send', async () => {
    const url = await serve();
    for (const method of ['OPTIONS', 'POST']) {
      const answer = await fetch(`${url}/decode`, { method, headers: { origin: 'https://evil.example' } });
      expect(answer.status).toBe(403);
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  test.each([
    ['no JSON', '{', 400, 'the body is not {"payloads"'],
    ['no payloads', {}, 400, 'the body is not {"payloads"'],
    ['a payload of the wrong form', { payloads: [{ metadata: { encoding: 1 } }] }, 400, 'the body is not {"payloads"'],
    [
      'an unknown key',
      { payloads: [{ metadata: { encoding: b64('binary/encrypted'), 'encryption-key-id': b64('gone') } }] },
      400,
      'encrypted under the key "gone"',
    ],
    ['an endless body', 'x'.repeat(8 * 1024 * 1024 + 1), 413, 'a body may have at most 8388608 bytes'],
  ])('reports %s', async (_, body, status, said) => {
    const answer = await post(`${await serve()}/decode`, body);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toEqual({ error: expect.stringContaining(said) });
  });

  test('answers nothing else', async () => {
    const url = await serve();
    expect((await post(`${url}/keys`, {})).status).toBe(404);
    expect((await fetch(`${url}/decode`)).status).toBe(405);
  });
});

describe('a codec server that requires a token', () => {
  const ask = async (url: string, token?: string) =>
    (
      await post(
        `${url}/decode`,
        { payloads: [PLAIN] },
        token === undefined ? {} : { authorization: `Bearer ${token}` },
      )
    ).status;

  test('answers those who send it, and nobody else', async () => {
    const url = await serve({ token: 'long and secret'.replaceAll(' ', '-'), signed: null });
    expect(await ask(url, 'long-and-secret')).toBe(200);
    expect([await ask(url), await ask(url, 'long-and-secreT'), await ask(url, '')]).toEqual([401, 401, 401]);
  });

  test("accepts a user's access token only if it is for this server and still valid", async () => {
    const provider = new OAuth2Server();
    const stranger = new OAuth2Server();
    await Promise.all([provider, stranger].map((each) => each.issuer.keys.generate('RS256')));
    await provider.start(0, '127.0.0.1');
    try {
      const issuer = provider.issuer.url ?? '';
      stranger.issuer.url = issuer;
      const url = await serve({ token: null, signed: { jwks: `${issuer}/jwks`, issuer, audience: 'temporal' } });
      const token = (change: Record<string, unknown>, by = provider) =>
        by.issuer.buildToken({
          scopesOrTransform: (_, payload) => Object.assign(payload, { aud: 'temporal', ...change }),
        });
      expect(await ask(url, await token({}))).toBe(200);
      const wrong = [
        token({ aud: 'mail' }),
        token({ iss: 'x' }),
        token({ exp: 1 }),
        token({ exp: undefined }),
        token({}, stranger),
      ];
      for (const each of wrong) expect(await ask(url, await each)).toBe(401);
    } finally {
      await provider.stop();
    }
  });
});

describe('`sluice codec`', () => {
  const env = { SLUICE_CODEC_KEYS: KEYS };

  test('runs until Ctrl-C, and says that it requires no token', async () => {
    const interrupt = new AbortController();
    const port = await freePort();
    const running = play(['codec', '--port', String(port)], { env, signal: interrupt.signal });
    const origin = 'http://localhost:8233';
    await until('an answer', () =>
      post(`http://127.0.0.1:${port}/decode`, { payloads: [PLAIN] }, { origin }).then((r) => r.ok),
    );
    interrupt.abort();
    expect(await running).toMatchObject({
      code: 0,
      out: `Codec server: http://127.0.0.1:${port}\n`,
      err: 'No token is required: every program on this machine can decode payloads.\n',
    });
  });

  test.each([
    ['a key', [], {}, 'there is no key to decode with; set SLUICE_CODEC_KEYS'],
    ['a token on an open interface', ['--host', '0.0.0.0'], env, 'on 0.0.0.0 anyone could decode payloads'],
    ['the token that it requires', ['--token-env', 'TOKEN'], env, '--token-env TOKEN: this variable is not set'],
    ['an audience', ['--jwks', 'https://id.example/jwks', '--issuer', 'x'], env, '--audience must be used together'],
    [
      'an origin',
      ['--ui-origin', 'https://temporal.example.com/'],
      env,
      'is not an origin; write only scheme, host and port',
    ],
  ])('does not start without %s', async (_, args, given, said) => {
    const { code, err } = await play(['codec', '--port', '0', ...args], { env: given });
    expect(code).not.toBe(0);
    expect(err).toContain(said);
  });
});
