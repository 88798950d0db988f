import { afterEach, describe, expect, test } from '@jest/globals';
import { runProbe } from '../../src/health/probe.js';
import { SluiceError } from '../../src/model/errors.js';
import type { ProbeSpec } from '../../src/model/spec.js';
import { egressFor } from '../support/egress.js';
import { answered, calm, FunctionDouble, failedWith, httpProbe, probeSpec, specWith } from './double.js';
import { serve, type TestServer, textOf } from './server.js';

function run(probe: ProbeSpec, driver = new FunctionDouble(), ctx = calm()) {
  return runProbe({ probe, spec: specWith([probe]), version: '7' }, driver, ctx, egressFor());
}

describe('an http probe at the host of a release', () => {
  let server: TestServer | undefined;
  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  test('goes to the address that the driver gives, with the headers that the driver gives', async () => {
    const seen: unknown[] = [];
    server = await serve((request, response) => {
      seen.push([request.url, request.headers.cookie, request.headers['x-own']]);
      response.end('ok');
    });
    const driver = new FunctionDouble();
    const host = new URL(server.url).host;
    driver.place = (version) => ({ host, headers: { cookie: `self=${version}` } });
    const probe = httpProbe('http://{host}/health', { headers: { 'x-own': '1' } });
    await expect(run(probe, driver)).resolves.toMatchObject({ ok: true });
    expect(seen).toEqual([['/health', 'self=7', '1']]);
  });

  test('does not ask for a host if its URL names one', async () => {
    server = await serve((_, response) => response.end('ok'));
    const driver = new FunctionDouble();
    driver.place = () => Promise.reject(new SluiceError('SLUICE_PROVIDER', 'must not be asked'));
    await expect(run(httpProbe(`${server.url}/{version}`), driver)).resolves.toMatchObject({ ok: true });
  });

  test('throws if the host is unknown, which says nothing about the release', async () => {
    const driver = new FunctionDouble();
    driver.place = () => Promise.reject(new SluiceError('SLUICE_BUSY', 'slow down'));
    await expect(run(httpProbe('http://{host}/'), driver)).rejects.toMatchObject({ code: 'SLUICE_BUSY' });
  });
});

describe('an invoke probe', () => {
  test('passes if the expected version answers without an error', async () => {
    await expect(run(probeSpec())).resolves.toMatchObject({ ok: true, latencyMs: 1 });
  });

  test.each([
    ['a function error', failedWith('7', 'TypeError', 'no\u001b[31m card\nhere'), 'TypeError: no [31m card here'],
    ['another version', answered('6'), 'version 6 answered, not 7'],
    ['an unknown version', answered('7', { executedVersion: null }), 'version (unknown) answered, not 7'],
    ['another status', answered('7', { body: { statusCode: 500 } }), 'status 500, expected 200'],
    ['no status', answered('7', { body: 'hello' }), 'status none, expected 200'],
    ['a value that differs', answered('7', { body: { statusCode: 200, ok: 1 } }), '$.ok is 1, expected true'],
    ['no value at the path', answered('7', { body: { statusCode: 200 } }), 'nothing at $.ok'],
    [
      'a slow answer',
      answered('7', { body: { statusCode: 200, ok: true }, latencyMs: 1_000.2 }),
      'took 1001 ms, limit 1000 ms',
    ],
  ])('fails on %s', async (_, answer, why) => {
    const driver = new FunctionDouble();
    driver.answer = () => answer;
    const probe = probeSpec({ expect: { status: 200, path: '$.ok', equals: true } });
    await expect(run(probe, driver)).resolves.toMatchObject({ ok: false, why });
  });

  test.each([200, '200'])('accepts the statusCode %j as 200, as API Gateway does', async (statusCode) => {
    const driver = new FunctionDouble();
    driver.answer = () => answered('7', { body: { statusCode } });
    await expect(run(probeSpec({ expect: { status: 200 } }), driver)).resolves.toMatchObject({ ok: true });
    await expect(run(probeSpec({ expect: { status: 201 } }), driver)).resolves.toMatchObject({ ok: false });
  });

  test('accepts any value at a path without equals, and compares whole values otherwise', async () => {
    const driver = new FunctionDouble();
    driver.answer = () => answered('7', { body: { list: [{ a: 1 }] } });
    await expect(run(probeSpec({ expect: { path: '$.list' } }), driver)).resolves.toMatchObject({ ok: true });
    const equal = probeSpec({ expect: { path: '$.list', equals: [{ a: 1 }] } });
    await expect(run(equal, driver)).resolves.toMatchObject({ ok: true });
  });

  test('fails if no answer arrives in time, even if the driver ignores the signal', async () => {
    const driver = new FunctionDouble();
    driver.answer = () => new Promise(() => {});
    const result = await run(probeSpec({ latency: 30 }), driver);
    expect(result).toMatchObject({ ok: false, why: 'no answer within 30 ms' });
  });

  test("fails with the driver's own message if that arrives in time, cut to 200 characters", async () => {
    const driver = new FunctionDouble();
    driver.answer = () => Promise.reject(new SluiceError('SLUICE_PROBE', 'x'.repeat(500)));
    const result = await run(probeSpec(), driver);
    expect(result.ok).toBe(false);
    expect(result.why).toHaveLength(200);
  });

  test('throws if the call could not be made, which says nothing about the release', async () => {
    const driver = new FunctionDouble();
    driver.answer = () => Promise.reject(new SluiceError('SLUICE_PERMISSION', 'lambda:InvokeFunction'));
    await expect(run(probeSpec(), driver)).rejects.toMatchObject({ code: 'SLUICE_PERMISSION' });
    driver.answer = () => Promise.reject(new Error('socket hang up'));
    await expect(run(probeSpec(), driver)).rejects.toMatchObject({ code: 'SLUICE_PROVIDER' });
  });

  test('throws an AbortError at once when cancelled', async () => {
    const driver = new FunctionDouble();
    driver.answer = () => new Promise(() => {});
    const stop = new AbortController();
    const result = run(probeSpec({ latency: 60_000 }), driver, calm(stop.signal));
    stop.abort();
    await expect(result).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('an http probe', () => {
  const servers: TestServer[] = [];
  const start: typeof serve = async (listener) => {
    const server = await serve(listener);
    servers.push(server);
    return server;
  };
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });

  test('sends what the spec says to the address of the version, marked as a probe', async () => {
    let seen: unknown;
    const { url } = await start(async (request, response) => {
      const { method, url: path, headers } = request;
      seen = { method, path, key: headers['x-key'], mark: headers['x-sluice-probe'], body: await textOf(request) };
      response.statusCode = 201;
      response.end('{"status":"up"}');
    });
    const probe = httpProbe(`${url}/v/{version}/health`, {
      method: 'POST',
      headers: { 'x-key': 'k' },
      body: 'ping',
      expect: { status: 201, path: '$.status', equals: 'up' },
    });
    await expect(run(probe)).resolves.toMatchObject({ ok: true });
    expect(seen).toEqual({ method: 'POST', path: '/v/7/health', key: 'k', mark: '1', body: 'ping' });
  });

  test('expects 200 by default', async () => {
    const { url } = await start((_, response) => {
      response.statusCode = 503;
      response.end();
    });
    await expect(run(httpProbe(url))).resolves.toMatchObject({ ok: false, why: 'status 503, expected 200' });
    await expect(run(httpProbe(url, { expect: { status: 503 } }))).resolves.toMatchObject({ ok: true });
  });

  test('follows a redirect on the same host, and none to another', async () => {
    let reached = 0;
    const other = await start((_, response) => {
      reached += 1;
      response.end();
    });
    const { url } = await start((request, response) => {
      if (request.url === '/there') return response.end('{}');
      response.writeHead(302, { location: request.url === '/away' ? `${other.url}/login` : '/there' }).end();
      return undefined;
    });
    await expect(run(httpProbe(`${url}/here`))).resolves.toMatchObject({ ok: true });
    const away = await run(httpProbe(`${url}/away`));
    expect(away).toMatchObject({ ok: false, why: `redirected to another host: ${other.url}` });
    expect(reached).toBe(0);
    await expect(run(httpProbe(`${url}/away`, { expect: { status: 302 } }))).resolves.toMatchObject({ ok: true });
  });

  test('ends a redirect loop', async () => {
    const { url } = await start((_, response) => {
      response.writeHead(302, { location: '/again' }).end();
    });
    await expect(run(httpProbe(url))).resolves.toMatchObject({ ok: false, why: 'redirected more than 3 times' });
  });

  test('fails if nothing listens, and says why', async () => {
    const { url, close } = await serve(() => {});
    await close();
    await expect(run(httpProbe(url))).resolves.toMatchObject({ ok: false, why: 'no answer: ECONNREFUSED' });
  });

  test('fails if headers or the rest of a body do not arrive in time', async () => {
    const { url } = await start((request, response) => {
      if (request.url === '/body') response.write('{');
    });
    const probe = (path: string) => httpProbe(`${url}${path}`, { latency: 100 });
    await expect(run(probe('/'))).resolves.toMatchObject({ ok: false, why: 'no answer within 100 ms' });
    await expect(run(probe('/body'))).resolves.toMatchObject({ ok: false, why: 'no answer within 100 ms' });
  });

  test('reads only 64 KB of an endless body', async () => {
    const { url } = await start((_, response) => {
      const more = () => {
        while (response.write('x'.repeat(16_384))) {}
      };
      response.on('drain', more);
      more();
    });
    await expect(run(httpProbe(url, { latency: 5_000 }))).resolves.toMatchObject({ ok: true });
    const result = await run(httpProbe(url, { latency: 5_000, expect: { path: '$.ok' } }));
    expect(result).toMatchObject({ ok: false, why: 'nothing at $.ok: the response was cut at 64 KB' });
  });
});
