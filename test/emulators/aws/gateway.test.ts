import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateAliasCommand,
  GetAliasCommand,
  GetFunctionCommand,
  type LambdaClient,
  ListVersionsByFunctionCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-lambda';
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { type EmulatedAws, startAws, type Write } from '../../../emulators/aws/index.js';
import { call, functionWith, lambdaAt, refusal } from './functions.js';

const FN = 'logged';
let folder: string;
let aws: EmulatedAws;
let lambda: LambdaClient;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gateway-test-'));
  aws = await startAws({ faults: true, writesFile: join(folder, 'writes.ndjson') });
  lambda = lambdaAt(aws.endpoint);
  await functionWith(lambda, FN, ['return 1', 'return 2']);
  await lambda.send(new CreateAliasCommand({ FunctionName: FN, Name: 'live', FunctionVersion: '1' }));
});
afterAll(async () => {
  await aws?.stop();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(() => aws.faults.clear());

const get = () => lambda.send(new GetAliasCommand({ FunctionName: FN, Name: 'live' }));
const shift = (weight: number, RevisionId?: string) =>
  lambda.send(
    new UpdateAliasCommand({
      FunctionName: FN,
      Name: 'live',
      FunctionVersion: '1',
      Description: `at ${weight}`,
      RoutingConfig: { AdditionalVersionWeights: weight === 0 ? {} : { 2: weight } },
      RevisionId,
    }),
  );

describe('the log of writes', () => {
  test('has each write with its request and its result, including refused ones', async () => {
    const before = await get();
    aws.clearWrites();
    const written = await shift(0.25, before.RevisionId);
    await refusal(shift(0.5, before.RevisionId));
    expect(aws.writes()).toEqual<Partial<Write>[]>([
      expect.objectContaining({
        operation: 'UpdateAlias',
        function: FN,
        qualifier: 'live',
        request: { functionVersion: '1', weights: { 2: 0.25 }, description: 'at 0.25', revisionId: before.RevisionId },
        status: 200,
        error: null,
        revisionId: written.RevisionId,
        version: '1',
      }),
      expect.objectContaining({ operation: 'UpdateAlias', status: 412, error: 'PreconditionFailedException' }),
    ]);
  });

  test('has no reads and no invocations', async () => {
    aws.clearWrites();
    await get();
    await call(lambda, FN, 'live');
    await lambda.send(new ListVersionsByFunctionCommand({ FunctionName: FN }));
    expect(aws.writes()).toEqual([]);
  });

  test('is served over HTTP, can be cleared there, and stays complete in the file', async () => {
    await shift(0.1);
    const page = `${aws.gatewayUrl}/_sluice/writes`;
    expect(await (await fetch(page)).json()).toEqual(aws.writes());
    await fetch(page, { method: 'DELETE' });
    expect(aws.writes()).toEqual([]);
    const lines = readFileSync(join(folder, 'writes.ndjson'), 'utf8').trimEnd().split('\n');
    const kept = lines.map((line) => JSON.parse(line) as Write);
    expect(kept.map((each) => each.seq)).toEqual(kept.map((_, i) => i + 1));
    expect(kept[0]).toMatchObject({ operation: 'CreateFunction', function: FN });
  });

  test('traffic is served over HTTP', async () => {
    await call(lambda, FN, '2');
    const traffic = (await (await fetch(`${aws.gatewayUrl}/_sluice/traffic`)).json()) as ReturnType<
      EmulatedAws['traffic']
    >;
    expect(traffic).toEqual(aws.traffic());
    expect(traffic[`${FN}:2`]?.['2']?.requests).toBeGreaterThan(0);
  });
});

describe('a fault', () => {
  test('loses an answer: the write takes effect, and the caller sees a broken connection', async () => {
    const { RevisionId } = await shift(0);
    await aws.faults.set([{ service: 'lambda', operation: 'UpdateAlias', times: 1, response: { abort_frac: 0.3 } }]);
    aws.clearWrites();
    expect(await refusal(shift(0.75, RevisionId))).not.toBe('not refused');
    expect((await get()).RoutingConfig?.AdditionalVersionWeights).toEqual({ 2: 0.75 });
    expect(aws.writes().map((each) => each.status)).toEqual([200]);
    // The second try meets the revision that the first one left.
    expect(await refusal(shift(0.75, RevisionId))).toBe('PreconditionFailedException');
    expect(await aws.faults.fired()).toEqual(
      expect.arrayContaining([expect.objectContaining({ service: 'lambda', operation: 'UpdateAlias' })]),
    );
  });

  test('throttles a write before it reaches the server', async () => {
    await shift(0);
    await aws.faults.set([
      { service: 'lambda', operation: 'UpdateAlias', times: 1, error: { code: 'TooManyRequestsException' } },
    ]);
    aws.clearWrites();
    expect(await refusal(shift(0.5))).toBe('TooManyRequestsException');
    expect(aws.writes()).toEqual([]);
    await shift(0.5);
    expect(aws.writes()).toHaveLength(1);
  });
});

describe('calls without a rule in the gateway', () => {
  test('pass through to other services, with their bodies unchanged', async () => {
    const s3 = new S3Client({
      endpoint: aws.gatewayUrl,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      forcePathStyle: true,
      maxAttempts: 1,
    });
    const bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 7919) % 251);
    await s3.send(new CreateBucketCommand({ Bucket: 'builds' }));
    await s3.send(new PutObjectCommand({ Bucket: 'builds', Key: 'a/b.zip', Body: bytes }));
    const head = await s3.send(new HeadObjectCommand({ Bucket: 'builds', Key: 'a/b.zip' }));
    expect(head.ContentLength).toBe(bytes.length);
    const back = await s3.send(new GetObjectCommand({ Bucket: 'builds', Key: 'a/b.zip' }));
    expect(Buffer.compare(Buffer.from((await back.Body?.transformToByteArray()) ?? []), Buffer.from(bytes))).toBe(0);
  });

  test('pass through to Lambda', async () => {
    const found = await lambda.send(new GetFunctionCommand({ FunctionName: FN, Qualifier: '2' }));
    expect(found.Configuration?.Version).toBe('2');
    expect(await refusal(lambda.send(new GetFunctionCommand({ FunctionName: 'absent' })))).toBe(
      'ResourceNotFoundException',
    );
  });
});

test('answers 50 requests a second, a quarter of them probes, while the alias is written', async () => {
  await shift(0);
  aws.clearWrites();
  const users = lambdaAt(aws.gatewayUrl);
  const pending: Promise<{ version: string | undefined }>[] = [];
  let writing: Promise<unknown> = Promise.resolve();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const n = pending.length;
      pending.push(call(users, FN, n % 4 === 0 ? '2' : 'live'));
      if (n % 10 === 9) writing = writing.then(() => shift((n % 3) / 10));
      if (n < 149) return;
      clearInterval(timer);
      resolve();
    }, 20);
  });
  const answers = await Promise.all(pending);
  await writing;
  expect(answers).toHaveLength(150);
  expect(answers.every((each) => each.version === '1' || each.version === '2')).toBe(true);
  expect(aws.writes().every((each) => each.status === 200)).toBe(true);
});
