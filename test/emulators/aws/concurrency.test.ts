import {
  CreateAliasCommand,
  DeleteFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  DeleteProvisionedConcurrencyConfigCommand,
  GetProvisionedConcurrencyConfigCommand,
  type LambdaClient,
  ListProvisionedConcurrencyConfigsCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutProvisionedConcurrencyConfigCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-lambda';
import { type EmulatedAws, startAws } from '../../../emulators/aws/index.js';
import { until } from '../../support/until.js';
import { call, functionWith, lambdaAt, refusal, snapStartFunction } from './functions.js';

const FN = 'capacity';
let aws: EmulatedAws;
let lambda: LambdaClient;

beforeAll(async () => {
  // Long enough to be seen in progress on a machine that is busy.
  aws = await startAws({ provisioningMs: 3_000 });
  lambda = lambdaAt(aws.endpoint);
  await functionWith(lambda, FN, ['return 1', 'return 2', 'return 3']);
});
afterAll(() => aws?.stop());

const put = (Qualifier: string) =>
  lambda.send(
    new PutProvisionedConcurrencyConfigCommand({ FunctionName: FN, Qualifier, ProvisionedConcurrentExecutions: 2 }),
  );
const get = (Qualifier: string) =>
  lambda.send(new GetProvisionedConcurrencyConfigCommand({ FunctionName: FN, Qualifier }));
const remove = (Qualifier: string) =>
  lambda.send(new DeleteProvisionedConcurrencyConfigCommand({ FunctionName: FN, Qualifier }));
const alias = (Name: string, FunctionVersion: string, weights = {}) =>
  lambda.send(
    new CreateAliasCommand({
      FunctionName: FN,
      Name,
      FunctionVersion,
      RoutingConfig: { AdditionalVersionWeights: weights },
    }),
  );
const ready = (qualifier: string) =>
  until(`${qualifier} is ready`, async () => (await get(qualifier)).Status === 'READY');

test('AWS: provisioned concurrency is in progress before it is ready', async () => {
  expect(await put('1')).toMatchObject({ Status: 'IN_PROGRESS', AllocatedProvisionedConcurrentExecutions: 0 });
  expect(await get('1')).toMatchObject({ Status: 'IN_PROGRESS', RequestedProvisionedConcurrentExecutions: 2 });
  await ready('1');
  expect(await get('1')).toMatchObject({ AvailableProvisionedConcurrentExecutions: 2 });
  await remove('1');
  expect(await refusal(get('1'))).toBe('ProvisionedConcurrencyConfigNotFoundException');
});

test('AWS: provisioned concurrency is refused for $LATEST', async () => {
  expect(await refusal(put('$LATEST'))).toBe('InvalidParameterValueException');
});

test('AWS: provisioned concurrency is refused on an alias with weights', async () => {
  await alias('split', '1', { 2: 0.5 });
  await expect(put('split')).rejects.toMatchObject({
    name: 'InvalidParameterValueException',
    message: expect.stringContaining('Alias with weights can not be used with Provisioned Concurrency'),
  });
});

test('AWS: a version is provisioned by itself or through an alias, not both', async () => {
  await put('2');
  await alias('second', '2');
  expect(await refusal(put('second'))).toBe('InvalidParameterValueException');
  await remove('2');
  expect(await put('second')).toMatchObject({ Status: 'IN_PROGRESS' });
  await remove('second');
});

test('AWS: provisioned concurrency is refused for a version with SnapStart, by number and by alias', async () => {
  const FunctionName = 'snapped';
  await snapStartFunction(lambda, FunctionName);
  await lambda.send(new PublishVersionCommand({ FunctionName }));
  await lambda.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }));
  for (const Qualifier of ['1', 'live']) {
    const asked = new PutProvisionedConcurrencyConfigCommand({
      FunctionName,
      Qualifier,
      ProvisionedConcurrentExecutions: 1,
    });
    expect(await refusal(lambda.send(asked))).toBe('InvalidParameterValueException');
  }
});

test('AWS: moving a provisioned alias allocates again', async () => {
  await alias('moving', '2');
  await put('moving');
  await ready('moving');
  await lambda.send(new UpdateAliasCommand({ FunctionName: FN, Name: 'moving', FunctionVersion: '3' }));
  expect((await get('moving')).Status).toBe('IN_PROGRESS');
  await ready('moving');
  await remove('moving');
});

test('AWS: the list names each qualifier with its state', async () => {
  await put('3');
  const { ProvisionedConcurrencyConfigs } = await lambda.send(
    new ListProvisionedConcurrencyConfigsCommand({ FunctionName: FN }),
  );
  expect(ProvisionedConcurrencyConfigs).toEqual([
    expect.objectContaining({ FunctionArn: expect.stringMatching(/:capacity:3$/), Status: 'IN_PROGRESS' }),
  ]);
  await remove('3');
});

test('AWS: reserved concurrency 0 throttles every call until it is removed', async () => {
  await call(lambda, FN, '1');
  await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: FN, ReservedConcurrentExecutions: 0 }));
  await expect(call(lambda, FN, '1')).rejects.toMatchObject({
    name: 'TooManyRequestsException',
    $metadata: { httpStatusCode: 429 },
    Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
  });
  await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName: FN }));
  expect((await call(lambda, FN, '1')).version).toBe('1');
});

test('AWS: deleting a function removes its provisioned concurrency', async () => {
  const FunctionName = 'short-lived';
  const lists = () => lambda.send(new ListProvisionedConcurrencyConfigsCommand({ FunctionName }));
  await functionWith(lambda, FunctionName, ['return 1']);
  await lambda.send(
    new PutProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier: '1', ProvisionedConcurrentExecutions: 1 }),
  );
  await lambda.send(new DeleteFunctionCommand({ FunctionName }));
  await functionWith(lambda, FunctionName, ['return 1']);
  expect((await lists()).ProvisionedConcurrencyConfigs).toEqual([]);
  await lambda.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }));
  const put = new PutProvisionedConcurrencyConfigCommand({
    FunctionName,
    Qualifier: 'live',
    ProvisionedConcurrentExecutions: 1,
  });
  expect((await lambda.send(put)).Status).toBe('IN_PROGRESS');
});
