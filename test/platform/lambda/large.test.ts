/** Code that no call carries: Lambda reads it from the artifact store, where that is S3 in its Region. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateAliasCommand, CreateEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { packInput } from '../../../src/client/index.js';
import { mark } from '../../../src/model/ids.js';
import type { Artifact } from '../../../src/model/spec.js';
import { ALONE, createBudget } from '../../../src/platforms/drivers.js';
import { awsClients, createLambdaDriver } from '../../../src/platforms/lambda/driver/index.js';
import { type Artifacts, openArtifacts } from '../../../src/store/index.js';
import { call, functionWith } from '../../emulators/aws/functions.js';
import { context, type Stack, startStack } from './stack.js';

const STORE = 's3://acme-code/sluice?region={region}';
const ELSEWHERE = 's3://acme-code/sluice?region=eu-west-1';

let stack: Stack;
let home: string;
let artifact: Artifact;

/** The store as a worker opens it. */
const opened = (setting: string) => openArtifacts({ setting, namespace: 'default', env: process.env, cwd: home });

const driverOn = (artifacts: Artifacts) =>
  createLambdaDriver({
    clients: () => awsClients('us-east-1'),
    budget: createBudget({ perSecond: 200, share: () => ALONE }),
    artifacts,
  });

/** Packs the folder as a client does. */
async function started(setting: string, folder = path.join(home, 'code')): Promise<Artifact> {
  const { target } = stack.spec('any');
  const input = { target, release: { folder } } as unknown as Parameters<typeof packInput>[0]['input'];
  const packed = await packInput({ app: 'checkout', input }, { env: { SLUICE_STORE: setting }, cwd: home });
  return (packed.release as { artifact: Artifact }).artifact;
}

/** A function that exists, and a spec that releases the large code to it. */
async function released(fn: string) {
  await functionWith(stack.lambda, fn, ['return 1']);
  return stack.spec(fn, { app: 'checkout', release: { artifact } });
}

beforeAll(async () => {
  home = mkdtempSync(path.join(tmpdir(), 'sluice-large-'));
  stack = await startStack();
  const s3 = new S3Client({ endpoint: stack.aws.gatewayUrl, region: 'us-east-1', forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'acme-code' }));
  s3.destroy();
  const code = path.join(home, 'code');
  mkdirSync(code);
  writeFileSync(path.join(code, 'index.mjs'), 'export const handler = async () => "large";');
  writeFileSync(path.join(code, 'model.bin'), randomBytes(51 * 1024 * 1024));
  artifact = await started(STORE);
});
afterAll(async () => {
  rmSync(home, { recursive: true, force: true });
  await stack?.stop();
});

test('a starter packs what an S3 store in the Region can hold, and is refused elsewhere with what to do', async () => {
  expect(artifact.bytes).toBeGreaterThan(50 * 1024 * 1024);
  const refused = {
    code: 'SLUICE_ARTIFACT',
    message: expect.stringContaining("keep artifacts in S3 in the function's Region"),
  };
  await expect(started(path.join(home, 'store'))).rejects.toMatchObject(refused);
  await expect(started(ELSEWHERE)).rejects.toMatchObject(refused);
});

test('it is deployed once from the store, with the digest that was started, and runs', async () => {
  const spec = await released('large');
  const driver = driverOn(opened(STORE));
  const { before, findings } = await driver.inspect(context(), spec);
  expect(findings.filter(({ level }) => level === 'refuse')).toEqual([]);
  expect(findings).toContainEqual({
    level: 'warn',
    code: 'CODE_FROM_S3',
    message: expect.stringContaining('Lambda reads it from s3://acme-code/sluice/ itself'),
  });
  const digest = Buffer.from(artifact.sha256, 'hex').toString('base64');
  for (const _ of ['first', 'after a lost answer']) {
    const { release } = await driver.deploy(context(), { spec, before, mark: 'sluice:a/b:run:deploy' });
    expect(release).toMatchObject({ version: '2', digest });
  }
  expect((await call(stack.lambda, 'large', '2')).body).toBe('large');
});

test('a worker whose store is in another Region refuses it in the plan and when deploying', async () => {
  const spec = await released('elsewhere');
  const store = opened(STORE);
  const far: Artifacts = {
    ...store,
    of: (owner) => ({
      ...store.of(owner),
      regionInS3: async () => 'eu-west-1',
      inS3: async () => ({ bucket: 'acme-code', key: 'any', region: 'eu-west-1' }),
    }),
  };
  const { before, findings } = await driverOn(far).inspect(context(), spec);
  expect(findings[0]).toMatchObject({ level: 'refuse', code: 'SLUICE_ARTIFACT' });
  const deployed = driverOn(far).deploy(context(), { spec, before, mark: 'sluice:a/b:run:deploy' });
  await expect(deployed).rejects.toMatchObject({ code: 'SLUICE_ARTIFACT' });
});

test('if Lambda read other bytes than were started, they are not published, and callers of the bare name do not keep them', async () => {
  const fn = 'changed';
  await functionWith(stack.lambda, fn, ['return 1']);
  await stack.lambda.send(new CreateAliasCommand({ FunctionName: fn, Name: 'live', FunctionVersion: '1' }));
  const { UUID } = await stack.lambda.send(
    new CreateEventSourceMappingCommand({
      FunctionName: fn,
      EventSourceArn: 'arn:aws:sqs:us-east-1:000000000000:orders',
      Enabled: false,
    }),
  );
  const spec = stack.spec(fn, { app: 'checkout', release: { artifact }, allowBypass: [`mapping/${UUID}`] });
  const by = (step: string) => mark('checkout', spec.environment, 'run', step);
  const store = opened(STORE);
  const other = path.join(home, 'other');
  mkdirSync(other);
  writeFileSync(path.join(other, 'index.mjs'), 'export const handler = async () => "other";');
  const at = await store.of(spec).inS3(await started(STORE, other));
  const changed: Artifacts = { ...store, of: (owner) => ({ ...store.of(owner), inS3: async () => at }) };
  const driver = driverOn(changed);
  const found = await driver.inspect(context(), spec);
  const before = await driver.keep(context(), { spec, before: found.before, mark: by('keep') });
  const deployed = driver.deploy(context(), { spec, before, mark: by('deploy') });
  await expect(deployed).rejects.toMatchObject({
    code: 'SLUICE_ARTIFACT',
    message: expect.stringContaining('is not published'),
  });
  expect((await call(stack.lambda, fn)).body).toBe('other');
  const args = { spec, before, attempted: [], lastRevision: before.revision, mark: by('restore'), force: false };
  const { remarks } = await driver.restore(context(), args);
  expect(remarks).toEqual([`$LATEST of ${fn} is restored to version 1`]);
  expect((await call(stack.lambda, fn)).body).toBe(1);
  await expect(call(stack.lambda, fn, '2')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});
