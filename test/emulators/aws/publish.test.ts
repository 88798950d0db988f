import {
  CreateFunctionCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  type LambdaClient,
  PublishVersionCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { type EmulatedAws, startAws } from '../../../emulators/aws/index.js';
import { until } from '../../support/until.js';
import { functionWith, lambdaAt, publisherOf, ROLE, refusal, settled, snapStartFunction, zipOf } from './functions.js';

const FN = 'published';
const REGISTRY = '000000000000.dkr.ecr.us-east-1.amazonaws.com';
let aws: EmulatedAws;
let lambda: LambdaClient;

beforeAll(async () => {
  aws = await startAws();
  lambda = lambdaAt(aws.endpoint);
  await functionWith(lambda, FN, ['return 1']);
});
afterAll(() => aws?.stop());

const { now, publish, configure, code } = publisherOf(() => lambda, FN);

test('AWS: publishing with a CodeSha256 other than that of $LATEST is refused', async () => {
  expect(await refusal(publish({ CodeSha256: 'AAAA' }))).toBe('InvalidParameterValueException');
  expect((await publish({ CodeSha256: (await now()).CodeSha256 })).Version).toBeDefined();
});

test('AWS: a stale RevisionId is refused by code, configuration and publish', async () => {
  const { RevisionId } = await now();
  await configure({ Timeout: 7, RevisionId });
  await settled(lambda, FN);
  expect(await refusal(publish({ RevisionId }))).toBe('PreconditionFailedException');
  expect(await refusal(configure({ Timeout: 8, RevisionId }))).toBe('PreconditionFailedException');
  expect(await refusal(code('return 9', { RevisionId }))).toBe('PreconditionFailedException');
  expect((await now()).Timeout).toBe(7);
  expect((await publish({ RevisionId: (await now()).RevisionId })).Version).toBeDefined();
});

test('AWS: publishing without a change returns the last version, also after uploading the same code', async () => {
  await code('return 20');
  await settled(lambda, FN);
  const first = await publish();
  await code('return 20');
  await settled(lambda, FN);
  expect((await publish()).Version).toBe(first.Version);
  await configure({ Environment: { Variables: { COLOUR: 'green' } } });
  await settled(lambda, FN);
  expect((await publish()).Version).not.toBe(first.Version);
});

test('AWS: code equal to an older version, but not the last one, becomes a new version', async () => {
  const versions: (string | undefined)[] = [];
  for (const body of ['return 30', 'return 31', 'return 30']) {
    await code(body);
    await settled(lambda, FN);
    versions.push((await publish()).Version);
  }
  expect(new Set(versions).size).toBe(3);
});

describe('a function of container images', () => {
  const imageOf = (digit: string) => `${REGISTRY}/app@sha256:${digit.repeat(64)}`;
  const create = async (FunctionName: string) => {
    await lambda.send(
      new CreateFunctionCommand({ FunctionName, Role: ROLE, PackageType: 'Image', Code: { ImageUri: imageOf('a') } }),
    );
    await settled(lambda, FunctionName);
  };
  const update = async (FunctionName: string, ImageUri: string) => {
    await lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ImageUri }));
    await settled(lambda, FunctionName);
  };

  test('AWS: has the digest of its image as CodeSha256, and another image is another version', async () => {
    const FunctionName = 'images';
    await create(FunctionName);
    const first = await lambda.send(new PublishVersionCommand({ FunctionName }));
    expect(first).toMatchObject({ Version: '1', PackageType: 'Image', CodeSha256: 'a'.repeat(64) });
    await update(FunctionName, imageOf('b'));
    const second = await lambda.send(new PublishVersionCommand({ FunctionName, CodeSha256: 'b'.repeat(64) }));
    expect(second).toMatchObject({ Version: '2', CodeSha256: 'b'.repeat(64) });
    const { Code } = await lambda.send(new GetFunctionCommand({ FunctionName, Qualifier: '1' }));
    expect(Code?.ImageUri).toBe(imageOf('a'));
    await update(FunctionName, imageOf('b'));
    expect((await lambda.send(new PublishVersionCommand({ FunctionName }))).Version).toBe('2');
  });

  test('AWS: never changes its package type', async () => {
    const FunctionName = 'boxed';
    await create(FunctionName);
    const zip = new UpdateFunctionCodeCommand({ FunctionName, ZipFile: await zipOf('return 1') });
    expect(await refusal(lambda.send(zip))).toBe('InvalidParameterValueException');
    const image = new UpdateFunctionCodeCommand({ FunctionName: FN, ImageUri: imageOf('a') });
    expect(await refusal(lambda.send(image))).toBe('InvalidParameterValueException');
    expect((await now()).PackageType).toBe('Zip');
  });
});

test('AWS: is Pending with SnapStart until its snapshot exists, and is another version without it', async () => {
  const FunctionName = 'snapped';
  await snapStartFunction(lambda, FunctionName);
  const published = await lambda.send(new PublishVersionCommand({ FunctionName }));
  expect(published).toMatchObject({ Version: '1', State: 'Pending', SnapStart: { OptimizationStatus: 'On' } });
  await until('the snapshot is there', async () => {
    const version = new GetFunctionConfigurationCommand({ FunctionName, Qualifier: '1' });
    return (await lambda.send(version)).State === 'Active';
  });
  expect((await lambda.send(new PublishVersionCommand({ FunctionName }))).Version).toBe('1');
  await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, SnapStart: { ApplyOn: 'None' } }));
  await settled(lambda, FunctionName);
  expect(await lambda.send(new PublishVersionCommand({ FunctionName }))).toMatchObject({
    Version: '2',
    State: 'Active',
    SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
  });
});
