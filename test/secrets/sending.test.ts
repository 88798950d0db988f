/** Where a secret goes, and where it does not: probes, metrics and webhooks against servers of this machine. */
import { withFailures } from '../../activities/failures.js';
import { createEgress, type Egress } from '../../src/egress/index.js';
import { runProbe } from '../../src/health/probe.js';
import { httpSource } from '../../src/health/sources/http/index.js';
import { notify } from '../../src/notify/index.js';
import { calm, FunctionDouble, httpProbe, specWith } from '../health/double.js';
import { serve, type TestServer } from '../health/server.js';
import { egressFor } from '../support/egress.js';

const VALUE = 'correct-horse-battery';
const REFERENCE = 'secret://env/SLUICE_SECRET_KEY';
const OUTSIDE = egressFor({ SLUICE_SECRET_KEY: VALUE });

let [seen, elsewhere]: [string[], string[]] = [[], []];
let [server, other]: TestServer[] = [];
beforeAll(async () => {
  other = await serve((request, response) => {
    elsewhere.push(JSON.stringify(request.headers));
    response.end('{}');
  });
  server = await serve((request, response) => {
    const { key = '', authorization = '' } = request.headers;
    seen.push(`${request.url} ${key}${authorization}`);
    if (request.url?.startsWith('/away')) response.writeHead(302, { location: `${other?.url}/stolen` });
    if (request.url?.startsWith('/here')) response.writeHead(302, { location: '/7' });
    response.end(JSON.stringify({ echoed: `${key}${authorization}` }));
  });
});
beforeEach(() => {
  seen = [];
  elsewhere = [];
});
afterAll(() => Promise.all([server?.close(), other?.close()]));

function probing(path: string, expect = {}, egress: Egress = OUTSIDE) {
  const probe = httpProbe(`${server?.url}${path}`, { headers: { key: REFERENCE }, expect });
  const run = async () =>
    runProbe({ probe, spec: specWith([probe]), version: '7' }, new FunctionDouble(), calm(), egress);
  return withFailures({ run }).run();
}

test('a probe sends the value, and its reason does not quote an echo of it', async () => {
  expect(await probing('/{version}')).toMatchObject({ ok: true });
  expect(seen).toEqual([`/7 ${VALUE}`]);
  const failed = await probing('/{version}', { path: '$.echoed', equals: 'other' });
  expect(failed).toMatchObject({ ok: false, why: '$.echoed is "[secret]", expected "other"' });
});

test('a redirect within the origin keeps the header, and one elsewhere is not followed', async () => {
  expect(await probing('/here/{version}')).toMatchObject({ ok: true });
  expect(seen).toEqual([`/here/7 ${VALUE}`, `/7 ${VALUE}`]);
  const away = await probing('/away/{version}');
  expect(away).toMatchObject({ ok: false, why: expect.stringContaining('redirected to another host') });
  expect(elsewhere).toEqual([]);
});

test('the policy is asked with the host of the call, and a denial stops the probe', async () => {
  const mayUse = ({ use, host }: { use: string; host: string | null }) => `no ${use} to ${host}`;
  const egress = createEgress({ env: { SLUICE_SECRET_KEY: VALUE }, allowAddresses: 'loopback', mayUse })(null);
  await expect(probing('/{version}', {}, egress)).rejects.toMatchObject({
    type: 'SLUICE_SECRET',
    nonRetryable: true,
    message: `${REFERENCE} may not be used here: no probe to ${new URL(server?.url ?? '').host}`,
  });
  expect(seen).toEqual([]);
});

test('a value that a header cannot contain is refused with our own message', async () => {
  const egress = egressFor({ SLUICE_SECRET_KEY: 'two\nlines of it' });
  await expect(probing('/{version}', {}, egress)).rejects.toMatchObject({
    message: `${REFERENCE}: the value has characters that a header cannot contain, and it is used for header key; keep it on one line`,
  });
});

test('a redirected metric is a failed read, and its token is not sent on', async () => {
  const metric = {
    name: 'm',
    kind: 'http',
    every: 1,
    delay: 0,
    window: 1_000,
    dryRun: false,
    url: `${server?.url}/away/{version}/{from}/{to}`,
    requests: '$.r',
    errors: '$.e',
    token: REFERENCE,
  } as const;
  const of = { spec: specWith([]), stable: null, candidate: '7', from: 0, now: () => 2_000, isProbe: () => false };
  const source = httpSource(metric, of, new FunctionDouble(), OUTSIDE);
  await expect(source.read({ signal: new AbortController().signal }, 1_500)).rejects.toThrow('answered status 302');
  expect(seen).toEqual([`/away/7/1/2 Bearer ${VALUE}`]);
  expect(elsewhere).toEqual([]);
});

test('probes, metrics and webhooks do not reach loopback unless it is allowed', async () => {
  const guarded = createEgress({ env: { SLUICE_SECRET_KEY: VALUE }, allowAddresses: '' })(null);
  await expect(probing('/{version}', {}, guarded)).rejects.toMatchObject({
    type: 'SLUICE_ADDRESS',
    nonRetryable: true,
  });
  const spec = { app: 'shop', environment: 'production', notify: [{ webhook: server?.url ?? '', secret: REFERENCE }] };
  const view = {
    run: 'r',
    phase: 'baking',
    phaseSince: 1,
    eventsTotal: 1,
    outcome: null,
    reason: null,
    waitingFor: null,
  };
  await expect(notify(spec, { type: 'ended', view: view as never }, guarded)).rejects.toMatchObject({
    code: 'SLUICE_ADDRESS',
    message: expect.stringMatching(/^127\.0\.0\.1 is loopback, which a spec may not reach/),
  });
  expect(seen).toEqual([]);
});
