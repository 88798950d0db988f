import { CloudWatchClient, PutMetricAlarmCommand, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  GetAliasCommand,
  PublishVersionCommand,
} from '@aws-sdk/client-lambda';
import type { Alarms } from '../../../src/health/sources/source.js';
import { mark } from '../../../src/model/ids.js';
import type { LambdaTarget } from '../../../src/model/spec.js';
import { ALONE, createBudget, createPlatform } from '../../../src/platforms/drivers.js';
import { awsClients } from '../../../src/platforms/lambda/driver/index.js';
import { deleteVersion } from '../../../src/platforms/lambda/driver/versions.js';
import { hasCode } from '../../../src/platforms/shared/failures.js';
import { call, functionWith, ROLE, settled, zipOf } from '../../emulators/aws/functions.js';
import { NO_ARTIFACTS } from '../../support/artifacts.js';
import { until } from '../../support/until.js';
import { context, type Stack, startStack } from './stack.js';

const FN = 'served';
const ANSWERS = [
  'return { version: context.functionVersion }',
  'if (event.fail) throw new TypeError("no price for user " + event.fail); return 2',
];

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
  await functionWith(stack.lambda, FN, ANSWERS);
  await stack.lambda.send(new CreateAliasCommand({ FunctionName: FN, Name: 'live', FunctionVersion: '1' }));
});
afterAll(() => stack?.stop());

const invoke = (version: string, payload: unknown, timeoutMs = 10_000) =>
  stack.driver.invoke(context(), { spec: stack.spec(FN), version, payload, timeoutMs });

test('a probe reaches exactly its version', async () => {
  const answer = await invoke('1', {});
  expect(answer).toMatchObject({ executedVersion: '1', functionError: null, body: { version: '1' } });
  expect(answer.latencyMs).toBeGreaterThan(0);
});

test('a probe is marked as one for the function, in the client context', async () => {
  stack.asked.length = 0;
  await invoke('1', {});
  const [mark = ''] = stack.asked.map(({ headers }) => headers['x-amz-client-context']);
  expect(JSON.parse(Buffer.from(mark, 'base64').toString())).toEqual({ custom: { sluiceProbe: true } });
});

test('a failing function is an answer with its error', async () => {
  const answer = await invoke('2', { fail: 7 });
  expect(answer.functionError?.message).toBe('no price for user 7');
});

test('a timeout is SLUICE_PROBE, a cancel is a cancel, and a missing version is SLUICE_NOT_FOUND', async () => {
  await expect(invoke('2', {}, 1)).rejects.toMatchObject({ code: 'SLUICE_PROBE' });
  const stop = new AbortController();
  const args = { spec: stack.spec(FN), version: '2', payload: {}, timeoutMs: 10_000 };
  const cancelled = stack.driver.invoke(context({ signal: stop.signal }), args);
  stop.abort();
  await expect(cancelled).rejects.toMatchObject({ name: 'AbortError' });
  await expect(invoke('99', {})).rejects.toMatchObject({ code: 'SLUICE_NOT_FOUND' });
});

test('users are counted from the reports of a function that logs JSON, without our own probes', async () => {
  const fn = 'reported';
  await stack.lambda.send(
    new CreateFunctionCommand({
      FunctionName: fn,
      Role: ROLE,
      Runtime: 'nodejs20.x',
      Handler: 'index.handler',
      LoggingConfig: { LogFormat: 'JSON' },
      Code: { ZipFile: await zipOf('if (event.fail) throw new Error("no price"); return 1') },
    }),
  );
  await settled(stack.lambda, fn);
  await stack.lambda.send(new PublishVersionCommand({ FunctionName: fn }));
  await stack.lambda.send(new CreateAliasCommand({ FunctionName: fn, Name: 'live', FunctionVersion: '1' }));

  const from = Date.now();
  const spec = stack.spec(fn);
  const probed = await stack.driver.invoke(context(), { spec, version: '1', payload: {}, timeoutMs: 10_000 });
  expect(probed.requestId).toMatch(/^[0-9a-f-]{36}$/);
  for (const payload of [{}, { fail: 1 }, {}]) await call(stack.lambda, fn, 'live', payload);

  const source = stack.driver.source(
    { name: 'logs', kind: 'lambdaLogs', every: 1_000, window: 1_000, delay: 1_000, latency: 60_000, dryRun: false },
    { spec, stable: null, candidate: '1', from, isProbe: (id) => id === probed.requestId, now: Date.now },
  );
  const done = Date.now();
  const ticks = await until('a stretch after the last call', async () => {
    const reading = await source?.read({ signal: context().signal }, from);
    return (reading?.ticks.at(-1)?.id ?? 0) > done + 1_000 ? reading?.ticks : null;
  });
  const counts = ticks.map(({ candidate }) => candidate).filter((each) => each !== null);
  const sum = (of: 'requests' | 'errors' | 'slow') => counts.reduce((total, each) => total + (each[of] ?? 0), 0);
  expect([sum('requests'), sum('errors'), sum('slow')]).toEqual([3, 1, 0]);
});

test('a version that logs as Text is not a source, and the message says what to set', async () => {
  const source = stack.driver.source(
    { name: 'logs', kind: 'lambdaLogs', every: 1_000, window: 1_000, delay: 1_000, dryRun: false },
    { spec: stack.spec(FN), stable: null, candidate: '2', from: 0, isProbe: () => false, now: Date.now },
  );
  await expect(source?.read({ signal: context().signal }, Date.now() - 10_000)).rejects.toMatchObject({
    code: 'SLUICE_TARGET',
    message: 'version 2 logs as Text, which does not say whether a request failed; set configuration.logFormat: JSON',
  });
});

test('an alarm is reported with its state, since when and why, and as null if it does not exist', async () => {
  const alarm = { AlarmName: 'errors', MetricName: 'Errors', Namespace: 'Shop', Statistic: 'Sum' } as const;
  const cloudwatch = new CloudWatchClient({ endpoint: stack.aws.gatewayUrl, region: 'us-east-1' });
  await cloudwatch.send(
    new PutMetricAlarmCommand({
      ...alarm,
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: 1,
      ComparisonOperator: 'GreaterThanThreshold',
    }),
  );
  const before = Date.now();
  await cloudwatch.send(
    new SetAlarmStateCommand({ AlarmName: 'errors', StateValue: 'ALARM', StateReason: 'too many' }),
  );
  const alarms = stack.driver.alarms('cloudwatch', stack.spec(FN)) as Alarms;
  const states = await alarms.states({ signal: context().signal }, ['errors', 'none']);
  expect(states).toEqual({ errors: { state: 'ALARM', since: expect.any(Number), why: 'too many' }, none: null });
  expect(states.errors?.since).toBeGreaterThan(before - 2_000);
  cloudwatch.destroy();
});

test("the candidate's errors are those in its own log streams", async () => {
  const from = Date.now() - 1_000;
  for (const user of [1, 2, 3]) await invoke('2', { fail: user });
  const errors = await until('the log has the errors', async () => {
    const found = await stack.driver.errors(context(), { spec: stack.spec(FN), version: '2', from });
    return (found[0]?.count ?? 0) >= 3 ? found : null;
  });
  expect(errors[0]?.what).toMatch(/^TypeError: no price for user \d$/);
  expect(await stack.driver.errors(context(), { spec: stack.spec(FN), version: '1', from })).toEqual([]);
});

test('a missing function is created, and its first version answers', async () => {
  const spec = stack.spec('fresh', {
    release: { artifact: await stack.pack('return event.n + 1') },
    configuration: {
      role: ROLE,
      runtime: 'nodejs20.x',
      handler: 'index.handler',
      environment: { AB: '1' },
      timeout: 5,
    },
  });
  const { before, findings } = await stack.driver.inspect(context(), spec);
  expect(findings.filter(({ level }) => level === 'refuse')).toEqual([]);
  const by = mark(spec.app, spec.environment, 'run1', 'deploy');
  const { release } = await stack.driver.deploy(context(), { spec, before, mark: by });
  expect(release.version).toBe('1');
  const fence = { revision: null, mark: mark(spec.app, spec.environment, 'run1', 'promote') };
  expect((await stack.driver.promote(context(), { spec, candidate: '1', fence })).split.stable).toBe('1');
  const answer = await stack.driver.invoke(context(), { spec, version: '1', payload: { n: 1 }, timeoutMs: 10_000 });
  expect(answer.body).toBe(2);
});

test('two targets of one function deploy at the same time, each its own code', async () => {
  await functionWith(stack.lambda, 'both', ['return 1']);
  const deploy = async (environment: string) => {
    const artifact = await stack.pack(`return ${JSON.stringify(environment)}`);
    const spec = stack.spec('both', { environment, release: { artifact } });
    const { before } = await stack.driver.inspect(context(), spec);
    const by = mark('both', environment, 'run1', 'deploy');
    for (;;) {
      try {
        const { release } = await stack.driver.deploy(context(), { spec, before, mark: by });
        const asked = { spec, version: release.version, payload: {}, timeoutMs: 10_000 };
        return (await stack.driver.invoke(context(), asked)).body;
      } catch (error) {
        if (!hasCode(error, 'SLUICE_BUSY')) throw error;
      }
    }
  };
  expect(await Promise.all([deploy('staging'), deploy('production')])).toEqual(['staging', 'production']);
});

test('only a version number can be deleted, since anything else would delete the function', async () => {
  stack.aws.clearWrites();
  const session = {
    ctx: context(),
    target: stack.spec(FN).target as LambdaTarget,
    clients: awsClients('us-east-1'),
    budget: createBudget({ perSecond: 100, share: () => ALONE }),
    seenWithoutPolicy: new Map(),
  };
  for (const not of ['', '$LATEST', 'live', '0', '1 ', undefined as unknown as string]) {
    await expect(deleteVersion(session, not)).rejects.toMatchObject({ code: 'SLUICE_TARGET' });
  }
  expect(await deleteVersion(session, '1')).toBe('refused');
  expect(stack.aws.writes().filter(({ operation, status }) => operation === 'DeleteFunction' && status < 300)).toEqual(
    [],
  );
});

test("sweep covers the platform's own account and region, and finds split aliases with our mark there", async () => {
  const platform = createPlatform({
    served: { platform: 'lambda', account: 'default', region: 'us-east-1' },
    artifacts: NO_ARTIFACTS,
    callsPerSecond: 200,
    share: () => ALONE,
  });
  const { target } = stack.spec(FN);
  expect(() => platform.driverFor({ ...target, region: 'eu-west-1' })).toThrow(/serves account default in us-east-1/);
  const Description = mark('served', 'production', 'run7', 'canary-10.shift');
  const input = { FunctionName: FN, FunctionVersion: '1', RoutingConfig: { AdditionalVersionWeights: { 2: 0.1 } } };
  await stack.lambda.send(new CreateAliasCommand({ ...input, Name: 'left', Description }));
  await stack.lambda.send(new CreateAliasCommand({ ...input, Name: 'of-others' }));
  const found = await platform.sweep(context(), { account: 'default', region: 'us-east-1' });
  expect(found).toEqual([
    {
      target: `${FN}:left`,
      app: 'served',
      environment: 'production',
      run: 'run7',
      split: '90 % to 1, 10 % to 2',
      cure: `aws lambda update-alias --function-name ${FN} --name left --routing-config AdditionalVersionWeights={}`,
    },
  ]);
  expect((await stack.lambda.send(new GetAliasCommand({ FunctionName: FN, Name: 'left' }))).Name).toBe('left');
});
