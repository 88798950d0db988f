import { createHash } from 'node:crypto';
import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateFunctionUrlConfigCommand,
  GetFunctionCommand,
  GetPolicyCommand,
  type LambdaClient,
  ListFunctionUrlConfigsCommand,
  RemovePermissionCommand,
} from '@aws-sdk/client-lambda';
import { type EmulatedAws, startAws } from '../../../emulators/aws/index.js';
import { until } from '../../support/until.js';
import { call, functionWith, lambdaAt } from './functions.js';

let aws: EmulatedAws;
let lambda: LambdaClient;
let cloudwatch: CloudWatchClient;

beforeAll(async () => {
  aws = await startAws();
  lambda = lambdaAt(aws.endpoint);
  cloudwatch = new CloudWatchClient({
    endpoint: aws.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
});
afterAll(async () => {
  cloudwatch?.destroy();
  await aws?.stop();
});

/** Invocations of one `Resource` in the last hour. */
async function counted(fn: string, resource: string): Promise<number> {
  const { MetricDataResults } = await cloudwatch.send(
    new GetMetricDataCommand({
      StartTime: new Date(Date.now() - 3_600_000),
      EndTime: new Date(Date.now() + 60_000),
      MetricDataQueries: [
        {
          Id: 'q0',
          MetricStat: {
            Metric: {
              Namespace: 'AWS/Lambda',
              MetricName: 'Invocations',
              Dimensions: [
                { Name: 'FunctionName', Value: fn },
                { Name: 'Resource', Value: resource },
              ],
            },
            Period: 300,
            Stat: 'Sum',
          },
        },
      ],
    }),
  );
  return (MetricDataResults?.[0]?.Values ?? []).reduce((sum, value) => sum + value, 0);
}

test('AWS: calls of the bare name, of $LATEST, of an alias and of a version are counted separately, by Resource', async () => {
  const fn = 'counted';
  await functionWith(lambda, fn, ['return 1']);
  await lambda.send(new CreateAliasCommand({ FunctionName: fn, Name: 'live', FunctionVersion: '1' }));
  await call(lambda, fn);
  await call(lambda, fn);
  await call(lambda, fn, '$LATEST');
  await call(lambda, fn, 'live');
  await call(lambda, fn, '1');
  await until('all calls are counted', async () => {
    const sums = await Promise.all([fn, `${fn}:$LATEST`, `${fn}:live`, `${fn}:1`].map((name) => counted(fn, name)));
    return sums.join() === '2,1,1,1';
  });
});

test('AWS: a function URL of an alias names the alias; one of the bare function does not', async () => {
  const fn = 'addressed';
  await functionWith(lambda, fn, ['return 1']);
  await lambda.send(new CreateAliasCommand({ FunctionName: fn, Name: 'live', FunctionVersion: '1' }));
  await lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName: fn, AuthType: 'NONE' }));
  await lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName: fn, Qualifier: 'live', AuthType: 'NONE' }));
  const { FunctionUrlConfigs } = await lambda.send(new ListFunctionUrlConfigsCommand({ FunctionName: fn }));
  expect((FunctionUrlConfigs ?? []).map(({ FunctionArn }) => FunctionArn?.split(':function:')[1]).sort()).toEqual([
    'addressed',
    'addressed:live',
  ]);
});

test('AWS: GetFunction of a version links to the code of that version', async () => {
  const fn = 'linked';
  await functionWith(lambda, fn, ['return 1', 'return 2']);
  for (const Qualifier of ['1', '2']) {
    const { Code, Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName: fn, Qualifier }));
    const answer = await fetch(Code?.Location ?? '');
    const digest = createHash('sha256')
      .update(Buffer.from(await answer.arrayBuffer()))
      .digest('base64');
    expect(digest).toBe(Configuration?.CodeSha256);
  }
});

test('AWS: the bare function and an alias have separate policies', async () => {
  const fn = 'permitted';
  await functionWith(lambda, fn, ['return 1']);
  await lambda.send(new CreateAliasCommand({ FunctionName: fn, Name: 'live', FunctionVersion: '1' }));
  const permission = { FunctionName: fn, Action: 'lambda:InvokeFunction', Principal: 's3.amazonaws.com' };
  await lambda.send(new AddPermissionCommand({ ...permission, StatementId: 'alias', Qualifier: 'live' }));
  const missing = { name: 'ResourceNotFoundException' };
  await expect(lambda.send(new GetPolicyCommand({ FunctionName: fn }))).rejects.toMatchObject(missing);
  const remove = lambda.send(new RemovePermissionCommand({ FunctionName: fn, StatementId: 'alias' }));
  await expect(remove).rejects.toMatchObject(missing);
  await lambda.send(new AddPermissionCommand({ ...permission, StatementId: 'bare' }));
  const { Policy = '' } = await lambda.send(new GetPolicyCommand({ FunctionName: fn }));
  expect(Policy).not.toContain('alias');
  await lambda.send(new RemovePermissionCommand({ FunctionName: fn, StatementId: 'bare' }));
});

test('AWS: AddPermission and RemovePermission are refused with a stale RevisionId of GetPolicy', async () => {
  const fn = 'fenced';
  await functionWith(lambda, fn, ['return 1']);
  await lambda.send(new CreateAliasCommand({ FunctionName: fn, Name: 'live', FunctionVersion: '1' }));
  const permission = { FunctionName: fn, Action: 'lambda:InvokeFunction', Principal: 's3.amazonaws.com' };
  for (const at of [{}, { Qualifier: 'live' }]) {
    const add = (StatementId: string, RevisionId?: string) =>
      lambda.send(new AddPermissionCommand({ ...permission, ...at, StatementId, RevisionId }));
    const remove = (StatementId: string, RevisionId?: string) =>
      lambda.send(new RemovePermissionCommand({ FunctionName: fn, ...at, StatementId, RevisionId }));
    const revision = async () => (await lambda.send(new GetPolicyCommand({ FunctionName: fn, ...at }))).RevisionId;
    const name = (sid: string) => `${sid}-${Object.keys(at).length}`;
    const stale = { name: 'PreconditionFailedException' };
    await add(name('one'));
    const first = await revision();
    await add(name('two'), first);
    expect(await revision()).not.toBe(first);
    await expect(add(name('three'), first)).rejects.toMatchObject(stale);
    await expect(remove(name('one'), first)).rejects.toMatchObject(stale);
    await remove(name('one'), await revision());
    await expect(remove(name('two'), first)).rejects.toMatchObject(stale);
  }
});
