import { CloudWatchClient, GetMetricDataCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { CreateAliasCommand, InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { type EmulatedAws, startAws } from '../../../emulators/aws/index.js';
import { until } from '../../support/until.js';
import { call, functionWith, lambdaAt } from './functions.js';

const FN = 'measured';
const DELAY = 1_500;
let aws: EmulatedAws;
let late: EmulatedAws;
let lambda: LambdaClient;
let watch: CloudWatchClient;

const watchAt = (endpoint: string) =>
  new CloudWatchClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });

beforeAll(async () => {
  [aws, late] = await Promise.all([startAws(), startAws({ metricsDelayMs: DELAY })]);
  lambda = lambdaAt(aws.endpoint);
  watch = watchAt(aws.endpoint);
  await functionWith(lambda, FN, [
    'return 1',
    'if (event.bad) { class CardError extends Error { constructor(m) { super(m); this.name = "CardError"; } }; throw new CardError("no such card") } return 2',
  ]);
  await lambda.send(
    new CreateAliasCommand({
      FunctionName: FN,
      Name: 'live',
      FunctionVersion: '1',
      RoutingConfig: { AdditionalVersionWeights: { 2: 0.5 } },
    }),
  );
});
afterAll(() => Promise.all([aws?.stop(), late?.stop()]));

/** Sum of a metric from a minute ago on, null without any data. */
async function sum(client: CloudWatchClient, metric: string, dimensions: Record<string, string>, stat = 'Sum') {
  const answer = await client.send(
    new GetMetricDataCommand({
      StartTime: new Date(Date.now() - 60_000),
      EndTime: new Date(Date.now() + 60_000),
      MetricDataQueries: [
        {
          Id: 'm',
          MetricStat: {
            Metric: {
              Namespace: 'AWS/Lambda',
              MetricName: metric,
              Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
            },
            Period: 60,
            Stat: stat,
          },
        },
      ],
    }),
  );
  const values = answer.MetricDataResults?.[0]?.Values ?? [];
  return values.length === 0 ? null : values.reduce((total, each) => total + each, 0);
}

test('AWS: calls through an alias are counted by executed version, including errors, and by alias', async () => {
  const by: Record<string, number> = { 1: 0, 2: 0 };
  let failed = 0;
  for (let round = 0; round < 4; round++) {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => call(lambda, FN, 'live', { bad: i % 5 === 0 })),
    );
    for (const answer of answers) {
      by[answer.version ?? ''] = (by[answer.version ?? ''] ?? 0) + 1;
      if (answer.error !== undefined) failed++;
    }
  }
  const series = { FunctionName: FN, Resource: `${FN}:live` };
  await until('all calls are counted', async () => (await sum(watch, 'Invocations', series)) === 40);
  for (const version of ['1', '2']) {
    expect(await sum(watch, 'Invocations', { ...series, ExecutedVersion: version })).toBe(by[version]);
  }
  expect(await sum(watch, 'Errors', { ...series, ExecutedVersion: '1' })).toBe(0);
  expect(await sum(watch, 'Errors', { ...series, ExecutedVersion: '2' })).toBe(failed);
  expect(await sum(watch, 'Duration', { ...series, ExecutedVersion: '2' }, 'SampleCount')).toBe(by['2']);
  expect(aws.traffic()[`${FN}:live`]).toEqual({
    1: { requests: by['1'], errors: 0, throttled: 0 },
    2: { requests: by['2'], errors: failed, throttled: 0 },
  });
});

test('AWS: a call to a version is counted only under that version', async () => {
  const through = { FunctionName: FN, Resource: `${FN}:live`, ExecutedVersion: '1' };
  const before = await sum(watch, 'Invocations', through);
  await call(lambda, FN, '1');
  await until('the call is counted', async () => {
    return (await sum(watch, 'Invocations', { FunctionName: FN, Resource: `${FN}:1` })) === 1;
  });
  expect(await sum(watch, 'Invocations', through)).toBe(before);
});

test('AWS: without calls there is no data, which is not zero', async () => {
  expect(await sum(watch, 'Invocations', { FunctionName: FN, Resource: `${FN}:nobody` })).toBeNull();
});

test('AWS: a failed handler reports its own error type, message and trace', async () => {
  const answer = await call(lambda, FN, '2', { bad: true });
  expect(answer).toMatchObject({
    version: '2',
    error: 'Unhandled',
    body: { errorType: 'CardError', errorMessage: 'no such card' },
  });
  expect((answer.body as { trace: string[] }).trace.join('\n')).toMatch(/index\.js/);
});

test('AWS: the tail of the log is returned only on request', async () => {
  expect((await call(lambda, FN, '2', { bad: true })).log).toBeUndefined();
  const asked = await lambda.send(
    new InvokeCommand({
      FunctionName: FN,
      Qualifier: '2',
      LogType: 'Tail',
      Payload: Buffer.from('{"bad":true}'),
    }),
  );
  expect(Buffer.from(asked.LogResult ?? '', 'base64').toString()).toContain('no such card');
});

test('AWS: a trimmed count is the number of values above its lower bound, up to its upper bound', async () => {
  // "CloudWatch statistics definitions": TC(0.005:0.030) is exclusive below and inclusive above.
  await watch.send(
    new PutMetricDataCommand({
      Namespace: 'AWS/Lambda',
      MetricData: [
        {
          MetricName: 'Duration',
          Dimensions: [{ Name: 'FunctionName', Value: 'trimmed' }],
          Timestamp: new Date(),
          Values: [100, 800, 800.5, 2_000],
          Counts: [1, 2, 3, 4],
        },
      ],
    }),
  );
  const count = (stat: string) => sum(watch, 'Duration', { FunctionName: 'trimmed' }, stat);
  expect(await count('TC(800:)')).toBe(7);
  expect(await count('TC(:800)')).toBe(3);
  expect(await count('TC(100:800.5)')).toBe(5);
  expect(await count('TC(2000:)')).toBeNull();
  expect(await count('SampleCount')).toBe(10);
});

test('AWS: metrics arrive late, with the time of the invocation', async () => {
  const slow = lambdaAt(late.endpoint);
  const slowWatch = watchAt(late.endpoint);
  await functionWith(slow, FN, ['return 1']);
  const at = Date.now();
  await call(slow, FN, '1');
  const called = Date.now();
  const series = { FunctionName: FN, Resource: `${FN}:1` };
  expect(await sum(slowWatch, 'Invocations', series)).toBeNull();
  await until('the call is counted', async () => (await sum(slowWatch, 'Invocations', series)) === 1);
  expect(Date.now() - called).toBeGreaterThanOrEqual(DELAY);
  const answer = await slowWatch.send(
    new GetMetricDataCommand({
      StartTime: new Date(Math.floor(at / 1000) * 1000),
      EndTime: new Date(Math.ceil(called / 1000) * 1000),
      MetricDataQueries: [
        {
          Id: 'm',
          MetricStat: {
            Metric: {
              Namespace: 'AWS/Lambda',
              MetricName: 'Invocations',
              Dimensions: Object.entries(series).map(([Name, Value]) => ({ Name, Value })),
            },
            Period: 1,
            Stat: 'Sum',
          },
        },
      ],
    }),
  );
  expect(answer.MetricDataResults?.[0]?.Values).toEqual([1]);
});
