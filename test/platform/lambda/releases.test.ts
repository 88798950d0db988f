import {
  CreateAliasCommand,
  CreateFunctionCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  PublishVersionCommand,
} from '@aws-sdk/client-lambda';
import { CreateBucketCommand, PutBucketVersioningCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { mark } from '../../../src/model/ids.js';
import type { Spec } from '../../../src/model/spec.js';
import type { BeforeState } from '../../../src/platforms/port.js';
import { call, functionWith, ROLE, settled, snapStartFunction } from '../../emulators/aws/functions.js';
import { until } from '../../support/until.js';
import { context, type Stack, startStack } from './stack.js';

let stack: Stack;
let s3: S3Client;
beforeAll(async () => {
  stack = await startStack({ provisioningMs: 100 });
  s3 = new S3Client({ endpoint: stack.aws.gatewayUrl, region: 'us-east-1', forcePathStyle: true });
});
afterAll(async () => {
  s3?.destroy();
  await stack?.stop();
});

const live = (FunctionName: string) =>
  stack.lambda.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }));

const inspect = async (spec: Spec) => stack.driver.inspect(context(), spec);

/** Deploys as a run would, from what is there now unless given. */
async function deploy(spec: Spec, run: string, given?: BeforeState) {
  const before = given ?? (await inspect(spec)).before;
  const by = mark(spec.app, spec.environment, run, 'deploy');
  return (await stack.driver.deploy(context(), { spec, before, mark: by })).release;
}

const configurationOf = (FunctionName: string, Qualifier: string) =>
  stack.lambda.send(new GetFunctionConfigurationCommand({ FunctionName, Qualifier }));

describe('a release by container image', () => {
  const digest = (digit: string) => digit.repeat(64);
  const image = (digit: string) => `000000000000.dkr.ecr.us-east-1.amazonaws.com/app@sha256:${digest(digit)}`;

  /** A function of image `a`, version 1, with an alias `live` on it. */
  async function ofImage(FunctionName: string): Promise<void> {
    const Code = { ImageUri: image('a') };
    await stack.lambda.send(new CreateFunctionCommand({ FunctionName, Role: ROLE, PackageType: 'Image', Code }));
    await settled(stack.lambda, FunctionName);
    await stack.lambda.send(new PublishVersionCommand({ FunctionName }));
    await live(FunctionName);
  }

  test("is published with the image's digest, once, even if it is requested again", async () => {
    const fn = 'image';
    await ofImage(fn);
    const spec = stack.spec(fn, { release: { image: image('b') } });
    const { before, findings } = await inspect(spec);
    expect(findings).toEqual([]);
    expect(await deploy(spec, 'run1', before)).toMatchObject({ version: '2', digest: digest('b') });
    expect(await deploy(spec, 'run1', before)).toMatchObject({ version: '2', digest: digest('b') });
    const { Code } = await stack.lambda.send(new GetFunctionCommand({ FunctionName: fn, Qualifier: '2' }));
    expect(Code?.ImageUri).toBe(image('b'));
  });

  test('is nothing to release if it is already live', async () => {
    const fn = 'same-image';
    await ofImage(fn);
    stack.aws.clearWrites();
    expect((await deploy(stack.spec(fn, { release: { image: image('a') } }), 'run1')).version).toBe('1');
    const published = stack.aws.writes().filter((write) => write.function === fn && write.status < 300);
    expect(published).toEqual([]);
  });

  test('creates the function if there is none', async () => {
    const fn = 'new-image';
    const spec = stack.spec(fn, { release: { image: image('c') }, configuration: { role: ROLE, memory: 256 } });
    expect(await deploy(spec, 'run1')).toMatchObject({ version: '1', digest: digest('c') });
    expect(await configurationOf(fn, '1')).toMatchObject({ PackageType: 'Image', MemorySize: 256 });
  });

  test('is refused for a function of zips, as is a zip for a function of images, with what to do', async () => {
    await functionWith(stack.lambda, 'zips', ['return 1']);
    await ofImage('images');
    const [toZips] = (await inspect(stack.spec('zips', { release: { image: image('b') } }))).findings;
    expect(toZips).toMatchObject({ level: 'refuse', code: 'SLUICE_TARGET' });
    expect(toZips?.message).toMatch(/^zips is a function of zips and the release is a container image/);
    const artifact = await stack.pack('return 2');
    const [toImages] = (await inspect(stack.spec('images', { release: { artifact } }))).findings;
    expect(toImages).toMatchObject({ level: 'refuse', code: 'SLUICE_TARGET' });
    expect(toImages?.message).toContain('Release an image (release.image)');
  });
});

describe('a release from S3', () => {
  /** Puts code that answers `text` into a bucket. Returns the object's version and Lambda's digest of it. */
  async function put(Bucket: string, text: string) {
    const artifact = await stack.pack(`return ${JSON.stringify(text)}`);
    const Body = await stack.read(artifact);
    const { VersionId } = await s3.send(new PutObjectCommand({ Bucket, Key: 'app.zip', Body }));
    return { version: VersionId ?? '', digest: Buffer.from(artifact.sha256, 'hex').toString('base64') };
  }

  test('is published with the digest from the provider, once, and runs', async () => {
    const fn = 'stored';
    await s3.send(new CreateBucketCommand({ Bucket: 'builds' }));
    const { digest } = await put('builds', 'from S3');
    await functionWith(stack.lambda, fn, ['return 1']);
    await live(fn);
    const spec = stack.spec(fn, { release: { s3: { bucket: 'builds', key: 'app.zip' } } });
    const { before } = await inspect(spec);
    expect(await deploy(spec, 'run1', before)).toMatchObject({ version: '2', digest });
    expect(await deploy(spec, 'run1', before)).toMatchObject({ version: '2', digest });
    expect((await call(stack.lambda, fn, '2')).body).toBe('from S3');
  });

  test('by an object version uses that version, not the newest, and again is nothing to release', async () => {
    const fn = 'versioned';
    const Bucket = 'versioned-builds';
    await s3.send(new CreateBucketCommand({ Bucket }));
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    const older = await put(Bucket, 'older');
    await put(Bucket, 'newer');
    await functionWith(stack.lambda, fn, ['return 1']);
    await live(fn);
    const spec = stack.spec(fn, { release: { s3: { bucket: Bucket, key: 'app.zip', version: older.version } } });
    expect(await deploy(spec, 'run1')).toMatchObject({ version: '2', digest: older.digest });
    expect((await call(stack.lambda, fn, '2')).body).toBe('older');
    const { before } = await inspect(spec);
    const fence = { revision: before.revision, mark: mark(spec.app, spec.environment, 'run1', 'promote') };
    await stack.driver.promote(context(), { spec, candidate: '2', fence });
    expect((await deploy(spec, 'run2')).version).toBe('2');
  });

  test('that does not exist is refused by name, and nothing is published', async () => {
    const fn = 'missing';
    await functionWith(stack.lambda, fn, ['return 1']);
    const spec = stack.spec(fn, { release: { s3: { bucket: 'nowhere', key: 'app.zip' } } });
    const { before } = await inspect(spec);
    const refused = deploy(spec, 'run1', before);
    await expect(refused).rejects.toMatchObject({
      code: 'SLUICE_REFUSED',
      message: expect.stringContaining('nowhere'),
    });
    await expect(configurationOf(fn, '2')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

describe('a function with SnapStart', () => {
  const source = (text: string) =>
    stack.packFile('index.py', `def handler(event, context):\n    return ${JSON.stringify(text)}\n`);

  test('has a usable version, with its snapshot, when deploying returns', async () => {
    const fn = 'snapped';
    await snapStartFunction(stack.lambda, fn);
    const spec = stack.spec(fn, { release: { artifact: await source('from a snapshot') } });
    const { before, findings } = await inspect(spec);
    expect(findings.map(({ code }) => code)).toContain('SNAP_START');
    const { version } = await deploy(spec, 'run1', before);
    expect(await configurationOf(fn, version)).toMatchObject({
      State: 'Active',
      SnapStart: { ApplyOn: 'PublishedVersions', OptimizationStatus: 'On' },
    });
    expect((await call(stack.lambda, fn, version)).body).toBe('from a snapshot');
  });

  test('is waited for if someone else has just published the version', async () => {
    const fn = 'being-snapped';
    await snapStartFunction(stack.lambda, fn);
    const { State } = await stack.lambda.send(new PublishVersionCommand({ FunctionName: fn }));
    expect(State).toBe('Pending');
    expect((await deploy(stack.spec(fn, { release: { version: 1 } }), 'run1')).version).toBe('1');
    expect((await configurationOf(fn, '1')).State).toBe('Active');
  });

  test('gives an error with the reason, not a release, if its snapshot fails', async () => {
    const fn = 'unsnapped';
    await snapStartFunction(stack.lambda, fn);
    const artifact = await stack.packFile('index.py', 'raise RuntimeError("no database")\n');
    const spec = stack.spec(fn, { release: { artifact } });
    await expect(deploy(spec, 'run1')).rejects.toMatchObject({
      code: 'SLUICE_REFUSED',
      message: expect.stringMatching(/unsnapped:1 is Failed: .*no database/),
    });
  });

  test('cannot have provisioned concurrency, which is reported before anything is touched', async () => {
    const fn = 'snapped-and-ready';
    await snapStartFunction(stack.lambda, fn);
    await stack.lambda.send(new PublishVersionCommand({ FunctionName: fn }));
    await until('the snapshot is there', async () => (await configurationOf(fn, '1')).State === 'Active');
    const configuration = { provisionedConcurrency: 1 };
    for (const release of [{ artifact: await source('2') }, { version: 1 }]) {
      const { findings } = await inspect(stack.spec(fn, { release, configuration }));
      const [refused] = findings.filter(({ level }) => level === 'refuse');
      expect(refused?.message).toContain('remove configuration.provisionedConcurrency');
    }
    const spec = stack.spec(fn, { release: { version: 1 }, configuration });
    const release = { version: '1', digest: '' };
    await expect(stack.driver.warm(context(), { spec, release })).rejects.toMatchObject({ code: 'SLUICE_REFUSED' });
  });
});
