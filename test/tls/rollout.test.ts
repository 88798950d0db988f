/** A rollout on a Temporal server that asks for certificates and tokens: what a client and a worker need there. */
import path from 'node:path';
import { msToTs } from '@temporalio/common/lib/time.js';
import { startAws } from '../../emulators/aws/index.js';
import { connect, connectLink, type Sluice } from '../../src/client/index.js';
import { type Aws, awsEnv } from '../../src/demo/clouds/lambda.js';
import { startWorkerProcess, storeIn } from '../../src/demo/stack.js';
import { rolloutId } from '../../src/model/ids.js';
import { SEARCH_ATTRIBUTES } from '../../src/temporal/search-attributes.js';
import { makeAuthority } from '../support/certificates.js';
import { ROOT } from '../support/tools.js';
import { until } from '../support/until.js';
import { AUDIENCE, type SecuredTemporal, startSecuredTemporal } from './server.js';

const FOLDER = path.join(ROOT, '.sluice', 'tls', String(process.pid));
const TARGET = { app: 'checkout', environment: 'production' };

let temporal: SecuredTemporal;
let aws: Aws;

beforeAll(async () => {
  [temporal, aws] = await Promise.all([
    startSecuredTemporal(process.env.SLUICE_TEMPORAL_SERVER ?? '', FOLDER),
    startAws(),
  ]);
  await asAdmin(async ({ workflowService }) => {
    await workflowService.registerNamespace({
      namespace: 'default',
      workflowExecutionRetentionPeriod: msToTs('1 day'),
    });
    await until('the namespace', () => workflowService.describeNamespace({ namespace: 'default' }));
  });
});
afterAll(async () => {
  await aws?.stop();
  await temporal?.stop();
});

type Admin = Awaited<ReturnType<typeof connectLink>>['temporal']['connection'];

async function asAdmin<T>(work: (connection: Admin) => Promise<T>): Promise<T> {
  const admin = await connectLink({ env: await temporal.env(['temporal-system:admin']) });
  try {
    return await work(admin.temporal.connection);
  } finally {
    await admin.close();
  }
}

/** What a client may do whose token has these permissions; null: it brings no token. */
async function as<T>(
  permissions: string[] | null,
  play: (sluice: Sluice) => Promise<T>,
  audience?: string,
  subject?: string,
): Promise<T> {
  const sluice = await connect({
    env: { ...(await temporal.env(permissions, audience, subject)), SLUICE_STORE: storeIn(FOLDER) },
  });
  try {
    return await play(sluice);
  } finally {
    await sluice.close();
  }
}

async function signal(name: string, payload: object, subject: string): Promise<void> {
  const link = await connectLink({ env: await temporal.env(['default:write'], AUDIENCE, subject) });
  try {
    await link.temporal.workflow.getHandle(rolloutId(TARGET.app, TARGET.environment)).signal(name, payload);
  } finally {
    await link.close();
  }
}

async function startWorker(permissions: string[]) {
  const env = { ...awsEnv(aws.endpoint), ...(await temporal.env(permissions, AUDIENCE, 'worker')) };
  return startWorkerProcess({ temporal: temporal.address, folder: FOLDER, env });
}

test('a client without a certificate is rejected, whatever token it has', async () => {
  const {
    TEMPORAL_TLS_CLIENT_CERT_PATH: _,
    TEMPORAL_TLS_CLIENT_KEY_PATH: __,
    ...env
  } = await temporal.env(['default:admin']);
  await expect(connect({ env })).rejects.toMatchObject({
    code: 'SLUICE_UNREACHABLE',
    message: expect.stringContaining('it requires a client certificate (tlsv13 alert certificate required)'),
  });
});

test("a client with another authority's certificate is rejected", async () => {
  const { cert, key } = await (await makeAuthority('another')).issue({ name: 'client' });
  const { TEMPORAL_TLS_CLIENT_CERT_PATH: _, TEMPORAL_TLS_CLIENT_KEY_PATH: __, ...env } = await temporal.env(null);
  const wrong = { ...env, TEMPORAL_TLS_CLIENT_CERT_DATA: cert, TEMPORAL_TLS_CLIENT_KEY_DATA: key };
  await expect(connect({ env: wrong })).rejects.toMatchObject({
    code: 'SLUICE_UNREACHABLE',
    message: expect.stringMatching(
      /it rejects this client's certificate \(.*alert.*\); set TEMPORAL_TLS_CLIENT_CERT_PATH/,
    ),
  });
});

test.each<[string, string[] | null, string]>([
  ['no token', null, AUDIENCE],
  ['a token for another service', ['default:admin'], 'mail.internal'],
  ['a token for another namespace', ['other:admin'], AUDIENCE],
  ['a token for only the role worker', ['default:worker'], AUDIENCE],
])('with %s a client can see nothing', async (_, permissions, audience) => {
  await expect(as(permissions, (sluice) => sluice.list({}), audience)).rejects.toMatchObject({
    code: 'SLUICE_PERMISSION',
  });
});

test('a rollout runs where certificates and tokens are required, and someone who may only read can see it and not change it', async () => {
  // Search attributes are an administrator's to register, once.
  await expect(startWorker(['default:write'])).rejects.toThrow(/search attributes SluiceApp.*could not be registered/s);
  await asAdmin(({ operatorService }) =>
    operatorService.addSearchAttributes({ namespace: 'default', searchAttributes: SEARCH_ATTRIBUTES }),
  );
  await until('the search attributes', () =>
    asAdmin(async ({ operatorService }) => {
      const { customAttributes } = await operatorService.listSearchAttributes({ namespace: 'default' });
      return Object.keys(SEARCH_ATTRIBUTES).every((name) => customAttributes?.[name] !== undefined);
    }),
  );
  const worker = await startWorker(['default:write']);
  try {
    const input = {
      ...TARGET,
      target: { function: 'checkout', alias: 'live', region: 'us-east-1' },
      release: { folder: path.join(ROOT, 'examples', 'checkout', 'v1') },
      configuration: {
        runtime: 'nodejs20.x',
        handler: 'index.handler',
        role: 'arn:aws:iam::000000000000:role/checkout',
      },
      strategy: { type: 'direct', bake: '1s' },
      health: {
        judge: { minRequests: 3 },
        probes: [{ name: 'smoke', invoke: { payload: { user: 'user-1' } }, expect: { status: 200 }, every: '100ms' }],
        metrics: [],
      },
    };
    const begin = (sluice: Sluice) =>
      sluice.start({ ...TARGET, type: 'direct', input, onNewRelease: 'queue', by: 'ann' });
    await expect(as(['default:read'], begin)).rejects.toMatchObject({ code: 'SLUICE_PERMISSION' });
    const { run } = await as(['default:write'], begin, AUDIENCE, 'mallory');
    for (const subject of ['ann', 'mallory']) await signal('resume', { by: 'ann' }, subject);
    await as(['default:read'], async (sluice) => {
      const { view } = await sluice.wait(TARGET, 'done', { run: run ?? '' });
      expect(view).toMatchObject({ outcome: 'succeeded' });
      // The server knows who called, whatever a call says.
      const { entries } = await sluice.audit(TARGET);
      expect(entries.filter(({ principal }) => principal !== null)).toMatchObject([
        { kind: 'start', who: 'ann', principal: 'jwt:worker', mismatch: false },
        { kind: 'signal', what: 'resume', who: 'ann', principal: 'jwt:ann', mismatch: false },
        { kind: 'signal', what: 'resume', who: 'ann', principal: 'jwt:mallory', mismatch: true },
      ]);
    });
    await as(['default:read'], async (sluice) => {
      expect((await sluice.status(TARGET)).view?.outcome).toBe('succeeded');
      await expect(sluice.verb(TARGET, 'abort', {})).rejects.toMatchObject({ code: 'SLUICE_PERMISSION' });
    });
  } finally {
    await worker.stop();
  }
});
