import { CloudWatchClient, type MetricDatum, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateFunctionCommand,
  LambdaClient,
  PublishVersionCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { startAws } from '../../emulators/aws/index.js';
import type { Counts } from '../../src/judge/types.js';
import type { MetricSpec } from '../../src/model/spec.js';
import { ALONE, createBudget } from '../../src/platforms/drivers.js';
import { type Clients, createLambdaDriver } from '../../src/platforms/lambda/driver/index.js';
import { ROLE, settled, zipOf } from '../emulators/aws/functions.js';
import { NO_ARTIFACTS } from '../support/artifacts.js';
import { specFor } from '../support/specs.js';
import { describeSource, type SourceFixture, type Wanted } from './source.js';

const FN = 'counted';
const MINUTE = 60_000;
const LATENCY = 800;

/** As the driver's, at one address. */
function clientsAt(endpoint: string): Clients {
  const common = {
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  };
  return {
    lambda: new LambdaClient(common),
    cloudwatch: new CloudWatchClient(common),
    logs: new CloudWatchLogsClient(common),
  };
}

function sourceWith(metric: MetricSpec, { of, now }: Wanted, endpoint: string) {
  const clients = clientsAt(endpoint);
  const budget = createBudget({ perSecond: 200, share: () => ALONE });
  const driver = createLambdaDriver({
    clients: () => clients,
    budget,
    artifacts: NO_ARTIFACTS,
  });
  const target = { platform: 'lambda', function: FN, alias: 'live', region: 'us-east-1', account: 'default' } as const;
  const spec = specFor({ type: 'direct', bake: 1_000 }, { target });
  const source = driver.source(metric, { spec, from: 0, isProbe: () => false, ...of, now: () => now });
  if (source === null) throw new Error(`no source for ${metric.kind}`);
  return source;
}

/** A counter of stretches in the past, two apart. */
function past(window: number): () => number {
  let begin = Math.floor(Date.now() / window) * window - 100 * window;
  return () => {
    begin += 2 * window;
    return begin;
  };
}

async function startCloudwatch(): Promise<SourceFixture> {
  const aws = await startAws();
  const { cloudwatch } = clientsAt(aws.endpoint);
  const metric: MetricSpec = {
    name: 'requests',
    kind: 'cloudwatch',
    every: 1_000,
    namespace: 'AWS/Lambda',
    delay: MINUTE,
    latency: LATENCY,
    dryRun: false,
  };
  const next = past(MINUTE);
  let releases = 0;
  return {
    countsSlow: true,
    window: MINUTE,
    delay: MINUTE,
    source: (wanted) => sourceWith(metric, wanted, wanted.endpoint ?? aws.endpoint),
    releases: async () => ({ stable: String(++releases), candidate: String(++releases) }),
    happen: async (of, stable, candidate) => {
      const begin = next();
      const data = [...dataOf(of.stable, stable, begin), ...dataOf(of.candidate, candidate, begin)];
      await cloudwatch.send(new PutMetricDataCommand({ Namespace: 'AWS/Lambda', MetricData: data }));
      return begin + MINUTE;
    },
    stop: () => aws.stop(),
  };
}

/** As Lambda publishes them; the slow ones just above the limit, one just at it. */
function dataOf(version: string, counts: Counts | null, begin: number): MetricDatum[] {
  if (counts === null) return [];
  const Dimensions = [
    { Name: 'FunctionName', Value: FN },
    { Name: 'Resource', Value: `${FN}:live` },
    { Name: 'ExecutedVersion', Value: version },
  ];
  const { requests, errors, slow = 0 } = counts;
  const durations = Array.from({ length: requests }, (_, i) => (i < slow ? LATENCY + 0.5 : LATENCY));
  const one = { Dimensions, Timestamp: new Date(begin + 59_000) };
  return [
    { ...one, MetricName: 'Invocations', Values: [1], Counts: [requests] },
    { ...one, MetricName: 'Errors', Values: durations.map((_, i) => (i < errors ? 1 : 0)) },
    { ...one, MetricName: 'Duration', Values: durations },
  ];
}

async function startLogs(): Promise<SourceFixture> {
  const WINDOW = 5_000;
  const DELAY = 5_000;
  const aws = await startAws();
  const { lambda, logs } = clientsAt(aws.endpoint);
  await createFunction(lambda);
  const group = `/aws/lambda/${FN}`;
  await logs.send(new CreateLogGroupCommand({ logGroupName: group }));
  const metric: MetricSpec = {
    name: 'logs',
    kind: 'lambdaLogs',
    every: 1_000,
    window: WINDOW,
    delay: DELAY,
    latency: LATENCY,
    dryRun: false,
  };
  const next = past(WINDOW);
  let made = 0;
  const put = async (version: string, counts: Counts | null, begin: number) => {
    const logStreamName = `2026/11/24/[${version}]${String(++made).padStart(32, '0')}`;
    const lines = linesOf(counts).map((message, i) => ({ message, timestamp: begin + (i % 2) * (WINDOW - 1) }));
    if (lines.length === 0) return;
    await logs.send(new CreateLogStreamCommand({ logGroupName: group, logStreamName }));
    const logEvents = lines.sort((a, b) => a.timestamp - b.timestamp);
    await logs.send(new PutLogEventsCommand({ logGroupName: group, logStreamName, logEvents }));
  };
  return {
    countsSlow: true,
    window: WINDOW,
    delay: DELAY,
    source: (wanted) => sourceWith(metric, wanted, wanted.endpoint ?? aws.endpoint),
    releases: async () => ({ stable: await publish(lambda), candidate: await publish(lambda) }),
    happen: async (of, stable, candidate) => {
      const begin = next();
      await put(of.stable, stable, begin);
      await put(of.candidate, candidate, begin);
      return begin + WINDOW;
    },
    stop: () => aws.stop(),
  };
}

/** One report a request, among lines of other kinds. */
function linesOf(counts: Counts | null): string[] {
  if (counts === null) return [];
  const { requests, errors, slow = 0 } = counts;
  return Array.from({ length: requests }, (_, i) => {
    const durationMs = i < slow ? LATENCY + 0.5 : LATENCY;
    const status = i < errors ? (['error', 'failure', 'timeout'][i % 3] as string) : 'success';
    const requestId = `r-${i}`;
    return [
      JSON.stringify({ type: 'platform.start', record: { requestId } }),
      JSON.stringify({ level: 'INFO', message: 'a line that says "type":"platform.report"' }),
      JSON.stringify({ type: 'platform.report', record: { requestId, metrics: { durationMs }, status } }),
    ];
  }).flat();
}

async function createFunction(lambda: LambdaClient): Promise<void> {
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: FN,
      Role: ROLE,
      Runtime: 'nodejs20.x',
      Handler: 'index.handler',
      LoggingConfig: { LogFormat: 'JSON' },
      Code: { ZipFile: await zipOf('return 1') },
    }),
  );
  await settled(lambda, FN);
}

let versions = 0;

/** A version of its own: another variable is another configuration. */
async function publish(lambda: LambdaClient): Promise<string> {
  versions += 1;
  await lambda.send(
    new UpdateFunctionConfigurationCommand({
      FunctionName: FN,
      Environment: { Variables: { ROUND: String(versions) } },
    }),
  );
  await settled(lambda, FN);
  return (await lambda.send(new PublishVersionCommand({ FunctionName: FN }))).Version ?? '';
}

describeSource('CloudWatch', startCloudwatch);
describeSource("Lambda's log", startLogs);
