import { mayUse } from '../../src/access/secrets.js';
import { checkEgress } from '../../src/egress/checks.js';
import type { SecretAsk } from '../../src/model/secrets.js';
import type { Spec } from '../../src/model/spec.js';
import { createNet, type Lookup } from '../../src/net/index.js';
import { createSecrets } from '../../src/secrets/index.js';
import { httpProbe, specWith } from '../health/double.js';

const SET = 'secret://env/SLUICE_SECRET_SET';
const UNSET = 'secret://env/SLUICE_SECRET_UNSET';
const NONE = new AbortController().signal;

const METRIC = { name: 'm', every: 1, delay: 0, window: 1_000, dryRun: false, errors: '$.e', requests: '$.r' };

function spec(hosts: { probe?: string; metric?: string; webhook?: string } = {}): Spec {
  const { probe = 'shop.invalid', metric = 'counts.invalid', webhook = 'chat.invalid' } = hosts;
  const of = specWith(
    [httpProbe(`https://${probe}/{version}`, { headers: { key: UNSET, plain: 'x' } })],
    [{ ...METRIC, kind: 'http', url: `https://${metric}/{version}/{from}/{to}`, headers: { key: SET }, token: UNSET }],
  );
  return {
    ...of,
    release: { zip: 'x' },
    configuration: { environment: { A: SET, B: UNSET, C: 'plain' } },
    notify: [{ webhook: `https://${webhook}/x`, secret: UNSET }],
  };
}

/** No name is known here. */
const nowhere: Lookup = (_host, _options, found) => found(new Error('ENOTFOUND'), []);

function check(of: Spec, { env = {}, allow = '', may = (_: SecretAsk): string | null => null } = {}) {
  const egress = { net: createNet(allow, nowhere), secrets: createSecrets({ env, region: 'us-east-1', mayUse: may }) };
  return checkEgress(of, { egress, own: egress }, NONE);
}

const refusals = (findings: Awaited<ReturnType<typeof check>>) =>
  findings.filter(({ level }) => level === 'refuse').map(({ code, message }) => `${code} ${message}`);

test('every missing secret is refused with its place, and one that exists is not', async () => {
  const found = await check(spec(), { env: { SLUICE_SECRET_SET: 'a value' } });
  expect(refusals(found)).toEqual(
    [
      'configuration.environment.B',
      'health.probes[0].http.headers.key',
      'health.metrics[0].http.token',
      'notify[0].secret',
    ].map((place) => expect.stringContaining(`SLUICE_SECRET ${place}: ${UNSET}: the worker has no variable`)),
  );
  expect(JSON.stringify(found)).not.toContain('a value');
});

test('a value that the environment would freeze is a warning, and a published version freezes nothing new', async () => {
  const env = { SLUICE_SECRET_SET: 'a', SLUICE_SECRET_UNSET: 'b' };
  const [warning, ...more] = await check(spec(), { env });
  expect(warning).toMatchObject({ level: 'warn', code: 'SECRET_FROZEN' });
  expect(warning?.message).toMatch(/^configuration\.environment\.A, configuration\.environment\.B: .* at run time/);
  expect(more).toEqual([]);
  expect(await check({ ...spec(), release: { version: 3 } }, { env })).toEqual([]);
});

test('the policy is asked for each place with the host that the spec names, and a denial is a refusal', async () => {
  const asked: (string | null)[] = [];
  const may = (ask: SecretAsk) => {
    asked.push(`${ask.use} ${ask.host}`);
    return mayUse([{ references: ['env/*'], hosts: ['shop.invalid'] }], ask);
  };
  const env = { SLUICE_SECRET_SET: 'a', SLUICE_SECRET_UNSET: 'b' };
  const found = await check(spec(), { env, may });
  expect(asked.sort()).toEqual([
    'environment null',
    'environment null',
    'metric counts.invalid',
    'metric counts.invalid',
    'probe shop.invalid',
    'webhook chat.invalid',
  ]);
  expect(refusals(found)).toEqual([
    expect.stringContaining('health.metrics[0].http.headers.key: secret://env/SLUICE_SECRET_SET may not be used here'),
    expect.stringContaining('health.metrics[0].http.token: '),
    expect.stringContaining('notify[0].secret: '),
  ]);
});

test('a host that only the platform knows is checked at the call, and one without TLS is a different host', async () => {
  const asked: (string | null)[] = [];
  const may = ({ use, host }: SecretAsk) => {
    if (use === 'probe') asked.push(host);
    return null;
  };
  await check(spec({ probe: '{host}' }), { env: {}, may });
  await check(spec({ probe: '{version}.shop.invalid:8443' }), { env: {}, may });
  const of = spec();
  const plain = of.health.probes.map((probe) => ({ ...probe, url: 'http://shop.invalid/{version}' }));
  await check({ ...of, health: { ...of.health, probes: plain } }, { env: {}, may });
  expect(asked).toEqual([null, '0.shop.invalid:8443', 'shop.invalid:80']);
});

test('an address that no spec may reach is refused with its place, unless it is allowed', async () => {
  const env = { SLUICE_SECRET_SET: 'a', SLUICE_SECRET_UNSET: 'b' };
  const of = spec({ probe: '169.254.169.254', metric: '[::1]:9090', webhook: '127.0.0.1' });
  expect(refusals(await check(of, { env }))).toEqual([
    expect.stringMatching(/^SLUICE_ADDRESS health\.probes\[0\]\.http\.url: 169\.254\.169\.254 is metadata/),
    expect.stringMatching(/^SLUICE_ADDRESS health\.metrics\[0\]\.http\.url: ::1 is loopback/),
    expect.stringMatching(/^SLUICE_ADDRESS notify\[0\]\.webhook: 127\.0\.0\.1 is loopback/),
  ]);
  expect(refusals(await check(of, { env, allow: 'loopback,169.254.169.254' }))).toEqual([]);
});
