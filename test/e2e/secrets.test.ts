/** Rollouts that use secrets everywhere they may stand, and the search for their values in all that is kept of it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { companionId, rolloutId } from '../../src/model/ids.js';
import { verifySignature } from '../../src/notify/index.js';
import { formsOf, withoutForms } from '../../src/secrets/scrub.js';
import { serve, type TestServer, textOf } from '../health/server.js';
import { DIRECT, startWorld, type World } from './target.js';

const DATABASE = 'postgres://shop:k7-x/9+Zq@db/shop?a=1';
const PROBE = 'Bearer probe-token-4711';
const HOOK = 'hook-signing-secret';

let world: World;
let server: TestServer;
const probed: string[] = [];
const hooks: { headers: Record<string, string | string[] | undefined>; body: string }[] = [];

beforeAll(async () => {
  server = await serve(async (request, response) => {
    const body = await textOf(request);
    if (request.url === '/hook') hooks.push({ headers: request.headers, body });
    else probed.push(String(request.headers.authorization));
    response.end(JSON.stringify({ echo: { authorization: request.headers.authorization } }));
  });
  world = await startWorld('secrets', () => ({
    SLUICE_SECRET_PROBE: PROBE,
    SLUICE_SECRET_HOOK: HOOK,
    SLUICE_LOG_LEVEL: 'debug',
  }));
  const ssm = new SSMClient({
    endpoint: world.stack.aws.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'admin', secretAccessKey: 'admin' },
  });
  await ssm.send(new PutParameterCommand({ Name: '/shop/db', Value: DATABASE, Type: 'SecureString' }));
});

afterAll(async () => {
  await world?.stop();
  await server?.close();
});

const fields = (expect: object = {}, more: object = {}) => ({
  ...DIRECT,
  configuration: {
    runtime: 'nodejs20.x',
    handler: 'index.handler',
    role: 'arn:aws:iam::000000000000:role/checkout',
    environment: { DATABASE: 'secret://aws-ssm/shop/db' },
  },
  health: {
    judge: { minRequests: 1 },
    metrics: [],
    probes: [
      {
        name: 'page',
        every: '50ms',
        smoke: 1,
        http: { url: `${server.url}/{version}`, headers: { authorization: 'secret://env/SLUICE_SECRET_PROBE' } },
        expect,
      },
    ],
  },
  notify: [{ webhook: `${server.url}/hook`, secret: 'secret://env/SLUICE_SECRET_HOOK' }],
  ...more,
});

/** All that Temporal and the worker keep, payloads in plain. */
async function kept(app: string): Promise<string> {
  const { workflow } = world.stack.client;
  const texts = [readFileSync(path.join(world.folder, 'worker.log'), 'utf8')];
  const runs = workflow.list({
    query: `WorkflowId = "${rolloutId(app, 'production')}" OR WorkflowId = "${companionId(app, 'production')}"`,
  });
  for await (const { workflowId, runId } of runs) {
    const history = await workflow.getHandle(workflowId, runId).fetchHistory();
    texts.push(
      // What payloads hold is in base64 here.
      JSON.stringify(history, (key, value: unknown) =>
        key === 'data' && typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : value,
      ),
    );
  }
  expect(texts.length).toBeGreaterThan(2);
  return texts.join('\n');
}

test('function, probe and webhook get the values; history, memo and log have only the references', async () => {
  const app = 'with-secrets';
  const done = await world.end(app, await world.start(app, 'ann', fields()));
  expect(done).toMatchObject({ outcome: 'succeeded' });
  const { Environment } = await world.lambda.send(
    new GetFunctionConfigurationCommand({ FunctionName: app, Qualifier: 'live' }),
  );
  expect(Environment?.Variables).toEqual({ DATABASE });
  expect(new Set(probed)).toEqual(new Set([PROBE]));
  expect(hooks.length).toBeGreaterThan(0);
  expect(hooks.every((hook) => verifySignature({ secret: HOOK, ...hook }))).toBe(true);
  expect(done.warnings.join()).toContain('configuration.environment.DATABASE: the value is written into the release');

  const echoing = fields(
    { path: '$.echo', equals: 'nothing' },
    { release: { folder: path.resolve('examples/checkout/v2') } },
  );
  const failed = await world.end(app, await world.start(app, 'ann', echoing));
  expect(failed.outcome).not.toBe('succeeded');
  expect(failed.reason).toContain('[secret]');

  const text = await kept(app);
  // A text of this size is no message.
  expect(text.includes('secret://aws-ssm/shop/db')).toBe(true);
  const found = [DATABASE, PROBE, HOOK].filter((value) => withoutForms(text, formsOf(value)) !== text);
  expect(found).toEqual([]);
});

test('a plan reports every missing secret and every forbidden address, with its place', async () => {
  const app = 'without-secrets';
  const spec = fields(
    {},
    {
      notify: [{ webhook: 'http://169.254.169.254/latest', secret: 'secret://env/SLUICE_SECRET_NONE' }],
    },
  );
  const file = world.file(app, {
    ...spec,
    configuration: { ...spec.configuration, environment: { DATABASE: 'secret://aws-ssm/shop/nothing' } },
  });
  const { code, out, err } = await world.cli(['plan', file]);
  expect(code).not.toBe(0);
  expect(`${out}${err}`).toMatch(/configuration\.environment\.DATABASE: secret:\/\/aws-ssm\/shop\/nothing/);
  expect(`${out}${err}`).toMatch(/notify\[0\]\.secret: secret:\/\/env\/SLUICE_SECRET_NONE/);
  expect(`${out}${err}`).toMatch(/notify\[0\]\.webhook: 169\.254\.169\.254 is metadata/);
});
