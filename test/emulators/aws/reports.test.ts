/** Sources: "Configuring JSON and plain text log formats", "Lambda Telemetry API Event schema reference" (platform.report). */
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateAliasCommand,
  InvokeCommand,
  type LambdaClient,
  PublishVersionCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { type EmulatedAws, startAws } from '../../../emulators/aws/index.js';
import { until } from '../../support/until.js';
import { call, functionWith, lambdaAt, settled } from './functions.js';

let aws: EmulatedAws;
let lambda: LambdaClient;
let logs: CloudWatchLogsClient;

beforeAll(async () => {
  aws = await startAws();
  lambda = lambdaAt(aws.endpoint);
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  logs = new CloudWatchLogsClient({ endpoint: aws.endpoint, region: 'us-east-1', credentials });
});
afterAll(() => aws?.stop());

interface Line {
  stream: string;
  at: number;
  said: { time: string; type: string; record: { requestId: string; status: string; metrics: { durationMs: number } } };
}

/** The reports in a log group. */
async function reports(group: string): Promise<Line[]> {
  const { events = [] } = await logs
    .send(new FilterLogEventsCommand({ logGroupName: group, filterPattern: '"platform.report"' }))
    .catch((error: Error) => {
      if (error.name === 'ResourceNotFoundException') return { events: [] };
      throw error;
    });
  return events.map(({ logStreamName = '', message = '', timestamp = 0 }) => ({
    stream: logStreamName,
    at: timestamp,
    said: JSON.parse(message) as Line['said'],
  }));
}

/** A function whose version 2 logs as JSON, 1 as Text; `live` is the second. */
async function loggingFunction(fn: string, more: { LogGroup?: string; Timeout?: number } = {}): Promise<void> {
  const { Timeout, ...logging } = more;
  await functionWith(lambda, fn, [
    'if (event.fail) throw new Error("no"); if (event.slow) await new Promise((done) => setTimeout(done, event.slow)); return 1',
  ]);
  await lambda.send(
    new UpdateFunctionConfigurationCommand({
      FunctionName: fn,
      LoggingConfig: { LogFormat: 'JSON', ...logging },
      ...(Timeout === undefined ? {} : { Timeout }),
    }),
  );
  await settled(lambda, fn);
  await lambda.send(new PublishVersionCommand({ FunctionName: fn }));
  await lambda.send(new CreateAliasCommand({ FunctionName: fn, Name: 'live', FunctionVersion: '2' }));
}

test("AWS: each invocation of a function that logs JSON is reported in its version's stream", async () => {
  await loggingFunction('reported');
  const began = Date.now();
  const answer = await lambda.send(new InvokeCommand({ FunctionName: 'reported', Qualifier: 'live' }));
  await call(lambda, 'reported', 'live', { fail: true });
  await call(lambda, 'reported', 'live', { slow: 300 });
  const lines = await until('three reports', async () => {
    const found = await reports('/aws/lambda/reported');
    return found.length >= 3 ? found : null;
  });
  expect(lines.map(({ said }) => said.record.status)).toEqual(['success', 'error', 'success']);
  expect(lines[0]?.said.record.requestId).toBe(answer.$metadata.requestId);
  expect(lines[2]?.said.record.metrics.durationMs).toBeGreaterThanOrEqual(300);
  for (const { stream, at, said } of lines) {
    expect(stream).toMatch(/^\d{4}\/\d\d\/\d\d\/\[2\][0-9a-f]{32}$/);
    expect(Date.parse(said.time)).toBe(at);
    expect(at).toBeGreaterThanOrEqual(began);
  }
});

test('AWS: a function that runs out of time is reported as a timeout', async () => {
  await loggingFunction('late', { Timeout: 1 });
  await call(lambda, 'late', 'live', { slow: 5_000 });
  const [line] = await until('a report', async () => {
    const found = await reports('/aws/lambda/late');
    return found.length > 0 ? found : null;
  });
  expect(line?.said.record.status).toBe('timeout');
});

test('AWS: a version that logs as Text is not reported', async () => {
  await loggingFunction('plain');
  await call(lambda, 'plain', '1');
  await call(lambda, 'plain', '2');
  const lines = await until('a report', async () => {
    const found = await reports('/aws/lambda/plain');
    return found.length > 0 ? found : null;
  });
  expect(lines.map(({ stream }) => stream.includes('[2]'))).toEqual([true]);
});

test('AWS: in a log group that functions share, the stream names the function', async () => {
  await loggingFunction('sharing', { LogGroup: 'shop' });
  await call(lambda, 'sharing', '2');
  const [line] = await until('a report', async () => {
    const found = await reports('shop');
    return found.length > 0 ? found : null;
  });
  expect(line?.stream).toMatch(/^\d{4}\/\d\d\/\d\d\/sharing\[2\][0-9a-f]{32}$/);
});
