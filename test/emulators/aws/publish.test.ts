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
import { functionWith, lambdaAt, ROLE, refusal, settled, zipOf } from './functions.js';

const FN = 'published';
let aws: EmulatedAws;
let lambda: LambdaClient;

beforeAll(async () => {
  aws = await startAws();
  lambda = lambdaAt(aws.endpoint);
  await functionWith(lambda, FN, ['return 1']);
});
afterAll(() => aws?.stop());

const now = () => lambda.send(new GetFunctionConfigurationCommand({ FunctionName: FN }));
const publish = (guards = {}) => lambda.send(new PublishVersionCommand({ FunctionName: FN, ...guards }));
const configure = (rest: object) => lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: FN, ...rest }));
const code = async (body: string, guards = {}) =>
  lambda.send(new UpdateFunctionCodeCommand({ FunctionName: FN, ZipFile: await zipOf(body), ...guards }));

test('AWS: publishing with another CodeSha256 than that of $LATEST is refused', async () => {
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

test('AWS: while an update is in progress, code, configuration and publish are conflicts', async () => {
  await configure({ MemorySize: 256 });
  expect(await refusal(configure({ MemorySize: 512 }))).toBe('ResourceConflictException');
  expect(await refusal(code('return 10'))).toBe('ResourceConflictException');
  expect(await refusal(publish())).toBe('ResourceConflictException');
  await settled(lambda, FN);
  expect((await now()).MemorySize).toBe(256);
});

test('AWS: a function stays Active while it is updated, and only LastUpdateStatus tells', async () => {
  const during = { State: 'Active', LastUpdateStatus: 'InProgress' };
  expect(await configure({ Timeout: 11 })).toMatchObject(during);
  expect(await now()).toMatchObject(during);
  const { Configuration, Code } = await lambda.send(new GetFunctionCommand({ FunctionName: FN }));
  expect(Configuration).toMatchObject(during);
  expect(Code?.Location).toBeDefined();
  await settled(lambda, FN);
});

test('AWS: a function that is still being created cannot be published', async () => {
  const FunctionName = 'newborn';
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      Role: ROLE,
      Runtime: 'nodejs20.x',
      Handler: 'index.handler',
      Code: { ZipFile: await zipOf('return 1') },
    }),
  );
  expect(await refusal(lambda.send(new PublishVersionCommand({ FunctionName })))).toBe('ResourceConflictException');
  await settled(lambda, FunctionName);
  expect((await lambda.send(new PublishVersionCommand({ FunctionName }))).Version).toBe('1');
});

test('AWS: what has not changed is the last version again, also after an upload of the same code', async () => {
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

test('AWS: code that is the same as in an older version, not the last one, is a new version', async () => {
  const versions: (string | undefined)[] = [];
  for (const body of ['return 30', 'return 31', 'return 30']) {
    await code(body);
    await settled(lambda, FN);
    versions.push((await publish()).Version);
  }
  expect(new Set(versions).size).toBe(3);
});
