import { httpSource } from '../../src/health/sources/http/index.js';
import type { SourceOf } from '../../src/health/sources/source.js';
import type { HttpMetric } from '../../src/model/spec.js';
import { serve } from '../health/server.js';
import { egressFor } from '../support/egress.js';
import { specFor } from '../support/specs.js';
import { describeSource, type SourceFixture } from './source.js';

const WINDOW = 5_000;
const DELAY = 2_000;

interface Event {
  version: string;
  at: number;
  bad: boolean;
  slow: boolean;
}

const metric = (url: string, more: Partial<HttpMetric> = {}): HttpMetric => ({
  name: 'counts',
  kind: 'http',
  url: `${url}/counts/{version}?from={from}&to={to}`,
  requests: '$.counts.requests',
  errors: '$.counts.errors',
  slow: '$.counts.slow',
  every: 1_000,
  window: WINDOW,
  delay: DELAY,
  dryRun: false,
  ...more,
});

const target = (of: Partial<SourceOf> & { candidate: string }): SourceOf => ({
  spec: specFor({ type: 'direct', bake: 1_000 }),
  stable: null,
  from: 0,
  isProbe: () => false,
  now: Date.now,
  ...of,
});

/** A driver without addresses: no url of these metrics asks for one. */
const NOWHERE = { address: () => Promise.reject(new Error('no address was asked for')) };

/** A server that keeps events and answers how many there were between two times, nothing where there were none. */
async function start(): Promise<SourceFixture> {
  const events: Event[] = [];
  const server = await serve((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://here');
    const [from, to] = ['from', 'to'].map((name) => Number(searchParams.get(name)) * 1000) as [number, number];
    const version = pathname.split('/').at(-1);
    const found = events.filter((event) => event.version === version && event.at >= from && event.at < to);
    const counts = {
      requests: found.length,
      errors: found.filter(({ bad }) => bad).length,
      slow: found.filter(({ slow }) => slow).length,
    };
    response.end(JSON.stringify(found.length === 0 ? {} : { counts }));
  });
  let releases = 0;
  let cursor = Math.floor(Date.now() / WINDOW) * WINDOW - 1_000 * WINDOW;
  return {
    countsSlow: true,
    window: WINDOW,
    delay: DELAY,
    source: ({ of, now, endpoint = server.url }) =>
      httpSource(metric(endpoint), target({ ...of, now: () => now }), NOWHERE, egressFor()),
    releases: async () => ({ stable: String(++releases), candidate: String(++releases) }),
    happen: async (of, stable, candidate) => {
      cursor += 2 * WINDOW;
      for (const [version, counts] of [
        [of.stable, stable],
        [of.candidate, candidate],
      ] as const) {
        for (let i = 0; i < (counts?.requests ?? 0); i += 1) {
          const [bad, slow] = [i < (counts?.errors ?? 0), i < (counts?.slow ?? 0)];
          events.push({ version, at: cursor + (i % 2 === 0 ? 0 : WINDOW - 1), bad, slow });
        }
      }
      return cursor + WINDOW;
    },
    stop: () => server.close(),
  };
}

describeSource('an address that answers JSON', start);

describe('an answer of an http source', () => {
  const read = async (answer: string, more: Partial<HttpMetric> = {}, status = 200, env = {}) => {
    const headers: Record<string, unknown>[] = [];
    const server = await serve((request, response) => {
      headers.push(request.headers);
      response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end(answer);
    });
    try {
      const source = httpSource(
        metric(server.url, more),
        target({ candidate: '7', now: () => 10_000 + DELAY }),
        NOWHERE,
        egressFor(env),
      );
      const { ticks } = await source.read({ signal: new AbortController().signal }, 5_000);
      return { candidate: ticks[0]?.candidate, headers };
    } finally {
      await server.close();
    }
  };

  test('may have its numbers as text', async () => {
    const { candidate } = await read('{"counts":{"requests":"12","errors":"0","slow":3}}');
    expect(candidate).toEqual({ requests: 12, errors: 0, slow: 3 });
  });

  test.each([
    ['is not JSON', '<html>', /did not answer JSON: <html>/],
    [
      'has no errors beside its requests',
      '{"counts":{"requests":1}}',
      /has nothing at \$\.counts\.errors, not a count/,
    ],
    [
      'has a fraction as a count',
      '{"counts":{"requests":1.5,"errors":0,"slow":0}}',
      /has 1\.5 at \$\.counts\.requests/,
    ],
    ['has a negative count', '{"counts":{"requests":3,"errors":-1,"slow":0}}', /has -1 at \$\.counts\.errors/],
  ])('that %s makes the read fail with a message', async (_, answer, why) => {
    await expect(read(answer)).rejects.toMatchObject({ code: 'SLUICE_PROVIDER', message: expect.stringMatching(why) });
  });

  test('comes from the host of each release if the url leaves the host to the platform', async () => {
    const seen: [string | undefined, unknown][] = [];
    const server = await serve((request, response) => {
      seen.push([request.url, request.headers['x-arm']]);
      response.end('{"counts":{"requests":1,"errors":0,"slow":0}}');
    });
    const host = new URL(server.url).host;
    const driver = {
      address: async (_: unknown, { version }: { version: string }) => ({ host, headers: { 'x-arm': version } }),
    };
    const of = target({ stable: '6', candidate: '7', now: () => 10_000 + DELAY });
    const { ticks } = await httpSource(metric('http://{host}'), of, driver, egressFor()).read(
      { signal: new AbortController().signal },
      5_000,
    );
    await server.close();
    expect(ticks).toHaveLength(1);
    expect(seen.sort()).toEqual([
      ['/counts/6?from=5&to=10', '6'],
      ['/counts/7?from=5&to=10', '7'],
    ]);
  });

  test('that redirects is not followed', async () => {
    await expect(read('', {}, 302)).rejects.toThrow(/answered status 302/);
  });

  test("is requested with the spec's headers and its token, each a secret of the worker", async () => {
    const more = {
      headers: { 'x-team': 'shop', 'x-key': 'secret://env/SLUICE_SECRET_KEY' },
      token: 'secret://env/SLUICE_SECRET_COUNTS',
    };
    const env = { SLUICE_SECRET_COUNTS: 'abc', SLUICE_SECRET_KEY: 'def' };
    const { headers } = await read('{"counts":{"requests":1,"errors":0,"slow":0}}', more, 200, env);
    expect(headers[0]).toMatchObject({ 'x-team': 'shop', 'x-key': 'def', authorization: 'Bearer abc' });
    await expect(read('{}', more)).rejects.toMatchObject({
      code: 'SLUICE_SECRET',
      message: expect.stringMatching(/^secret:\/\/env\/SLUICE_SECRET_(KEY|COUNTS): the worker has no variable/),
    });
  });
});
