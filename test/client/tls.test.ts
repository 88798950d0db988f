/** Client and worker through mutual TLS, before a real server; and what they say when it does not come about. */
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { type LocalTemporal, startTemporal } from '../../emulators/temporal.js';
import { connect } from '../../src/client/index.js';
import { workerConfig } from '../../src/worker/config.js';
import { startWorker } from '../../src/worker/index.js';
import { workflowBundle } from '../support/bundle.js';
import { type Authority, type Issued, makeAuthority } from '../support/certificates.js';
import { startTlsFront, type TlsFront } from '../support/tls-front.js';
import { until } from '../support/until.js';

type Env = Record<string, string>;

let temporal: LocalTemporal;
let front: TlsFront;
let expired: TlsFront;
let [ours, theirs]: Authority[] = [];
let mine: Issued;

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR' } } });
  [ours, theirs, temporal] = await Promise.all([
    makeAuthority('ours'),
    makeAuthority('theirs'),
    startTemporal({ headless: true }),
  ]);
  const hosts = ['127.0.0.1', 'temporal.internal'];
  mine = await ours.issue({ name: 'me' });
  front = await startTlsFront(temporal.port, await ours.issue({ name: 'temporal', hosts }), ours.ca);
  expired = await startTlsFront(temporal.port, await ours.issue({ name: 'old', hosts, ends: -1 }), ours.ca);
});
afterAll(async () => {
  await front?.close();
  await expired?.close();
  await temporal?.stop();
});

function trusting(authority: Authority | undefined, port = front.port): Env {
  return { TEMPORAL_ADDRESS: `127.0.0.1:${port}`, TEMPORAL_TLS_SERVER_CA_CERT_DATA: authority?.ca ?? '' };
}

function as({ cert, key }: Issued): Env {
  return { TEMPORAL_TLS_CLIENT_CERT_DATA: cert, TEMPORAL_TLS_CLIENT_KEY_DATA: key };
}

/** A worker reads its environment, as the process that it is in production does. */
async function underEnv<T>(env: Env, play: () => Promise<T>): Promise<T> {
  const before = { ...process.env };
  Object.assign(process.env, env);
  try {
    return await play();
  } finally {
    for (const name of Object.keys(env)) delete process.env[name];
    Object.assign(process.env, before);
  }
}

function worker() {
  return startWorker(
    workerConfig({ SLUICE_POLICY: 'open', SLUICE_SEARCH_ATTRIBUTES: 'off', SLUICE_STORE: '.sluice/tmp' }),
    workflowBundle(),
  );
}

test('client and worker connect with valid certificates', async () => {
  const env = { ...trusting(ours), ...as(mine), TEMPORAL_TLS_SERVER_NAME: 'temporal.internal' };
  const sluice = await connect({ env });
  const running = await underEnv(env, worker);
  try {
    const target = { app: 'checkout', environment: 'production' };
    await sluice.start({ ...target, type: 'direct', input: { colour: 'red' }, onNewRelease: 'reject' });
    const { view } = await until('the answer', async () => {
      const seen = await sluice.status(target);
      return seen.ended ? seen : null;
    });
    expect(view).toMatchObject({ outcome: 'failed', code: 'SLUICE_SPEC' });
  } finally {
    running.shutdown();
    await running.done;
    await sluice.close();
  }
});

const REFUSALS: [string, () => Promise<Env>, RegExp][] = [
  [
    'sends no certificate',
    async () => trusting(ours),
    /it requires a client certificate \(tlsv13 alert certificate required\); set TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH, both$/,
  ],
  [
    "sends another authority's certificate",
    async () => ({ ...trusting(ours), ...as(await (theirs as Authority).issue({ name: 'me' })) }),
    /it rejects this client's certificate \(.*\); set TEMPORAL_TLS_CLIENT_CERT_PATH/,
  ],
  [
    'sends an expired certificate',
    async () => ({ ...trusting(ours), ...as(await (ours as Authority).issue({ name: 'me', ends: -1 })) }),
    /it rejects this client's certificate, which ended on \d{4}-\d\d-\d\d /,
  ],
  [
    'trusts another authority',
    async () => ({ ...trusting(theirs), ...as(mine) }),
    /its certificate is not signed by an authority that this machine trusts; set TEMPORAL_TLS_SERVER_CA_CERT_PATH/,
  ],
  [
    'meets a server with an expired certificate',
    async () => ({ ...trusting(ours, expired.port), ...as(mine) }),
    /its certificate has expired, or this machine's clock is wrong$/,
  ],
  [
    'expects another server name',
    async () => ({ ...trusting(ours), ...as(mine), TEMPORAL_TLS_SERVER_NAME: 'other.internal' }),
    /its certificate is not for TEMPORAL_TLS_SERVER_NAME "other.internal" \(.*temporal\.internal\)/,
  ],
  [
    'uses TLS with a server that does not',
    async () => ({ ...trusting(ours, temporal.port), ...as(mine) }),
    /the server does not use TLS; unset TEMPORAL_TLS/,
  ],
];

test.each(REFUSALS)('who %s gets an error that says so, as a client and as a worker', async (_, envOf, said) => {
  const env = await envOf();
  const expected = { code: 'SLUICE_UNREACHABLE', message: expect.stringMatching(said) };
  await expect(connect({ env })).rejects.toMatchObject(expected);
  await expect(underEnv(env, worker)).rejects.toMatchObject(expected);
});

test('who connects without TLS to a server with TLS gets an error that says so, at the deadline', async () => {
  await expect(connect({ env: { TEMPORAL_ADDRESS: `127.0.0.1:${front.port}` }, within: 300 })).rejects.toMatchObject({
    code: 'SLUICE_UNREACHABLE',
    message: expect.stringMatching(/the server requires TLS; set TEMPORAL_TLS=true/),
  });
});

test('a key of another certificate and a missing file are named in the error', async () => {
  const other = await (ours as Authority).issue({ name: 'other' });
  await expect(connect({ env: { ...trusting(ours), ...as({ ...mine, key: other.key }) } })).rejects.toMatchObject({
    code: 'SLUICE_SETUP',
    message: expect.stringMatching(/certificate and key of TEMPORAL_TLS_CLIENT_\* do not work: .*key values mismatch/),
  });
  await expect(
    connect({ env: { ...trusting(ours), TEMPORAL_TLS_CLIENT_CERT_PATH: '/nowhere' } }),
  ).rejects.toMatchObject({
    code: 'SLUICE_SETUP',
    message: expect.stringMatching(/cannot read the TEMPORAL_\* settings: .*\/nowhere/),
  });
});
