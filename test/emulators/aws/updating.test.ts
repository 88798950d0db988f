/** What a function refuses while a change of it is in progress. Its own AWS takes seconds for one, so that a busy machine sees it too. */
import { CreateFunctionCommand, GetFunctionCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { type EmulatedAws, startAws } from '../../../emulators/aws/index.js';
import { lambdaAt, publisherOf, ROLE, refusal, settled, zipOf } from './functions.js';

const FN = 'updating';
let aws: EmulatedAws;
let lambda: LambdaClient;

beforeAll(async () => {
  aws = await startAws({ updatingMs: 8_000 });
  lambda = lambdaAt(aws.endpoint);
});
afterAll(() => aws?.stop());

const { now, publish, configure, code } = publisherOf(() => lambda, FN);

// In one test, since each change takes its time.
test('AWS: a function being created cannot be published; one being updated stays Active and refuses code, configuration and publish', async () => {
  const created = new CreateFunctionCommand({
    FunctionName: FN,
    Role: ROLE,
    Runtime: 'nodejs20.x',
    Handler: 'index.handler',
    Code: { ZipFile: await zipOf('return 1') },
  });
  await lambda.send(created);
  expect(await refusal(publish())).toBe('ResourceConflictException');
  await settled(lambda, FN);
  expect((await publish()).Version).toBe('1');

  const during = { State: 'Active', LastUpdateStatus: 'InProgress' };
  expect(await configure({ MemorySize: 256 })).toMatchObject(during);
  expect(await refusal(configure({ MemorySize: 512 }))).toBe('ResourceConflictException');
  expect(await refusal(code('return 10'))).toBe('ResourceConflictException');
  expect(await refusal(publish())).toBe('ResourceConflictException');
  expect(await now()).toMatchObject(during);
  const { Configuration, Code } = await lambda.send(new GetFunctionCommand({ FunctionName: FN }));
  expect(Configuration).toMatchObject(during);
  expect(Code?.Location).toBeDefined();
  await settled(lambda, FN);
  expect((await now()).MemorySize).toBe(256);
});
