import {
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  PublishVersionCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { ZipFile } from 'yazl';
import { until } from '../../support/until.js';

export const ROLE = 'arn:aws:iam::000000000000:role/fn';

/** A client that makes one attempt, as the driver's does. */
export function lambdaAt(endpoint: string): LambdaClient {
  return new LambdaClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
}

/** A zip with one module, whose handler is `body`. */
export function zipOf(body: string): Promise<Uint8Array> {
  return zipWith('index.js', `exports.handler = async (event, context) => { ${body} };`);
}

function zipWith(file: string, text: string): Promise<Uint8Array> {
  const zip = new ZipFile();
  zip.addBuffer(Buffer.from(text), file, { mtime: new Date(315_532_800_000) });
  zip.end();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    zip.outputStream.on('data', (chunk: Buffer) => chunks.push(chunk));
    zip.outputStream.on('error', reject);
    zip.outputStream.on('end', () => resolve(new Uint8Array(Buffer.concat(chunks))));
  });
}

/** Waits until nothing is in progress at the function. */
export async function settled(lambda: LambdaClient, name: string): Promise<void> {
  await until(`${name} is settled`, async () => {
    const now = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
    return now.State === 'Active' && now.LastUpdateStatus === 'Successful';
  });
}

/** A function with one published version for each handler body: versions 1, 2, … */
export async function functionWith(lambda: LambdaClient, name: string, bodies: string[]): Promise<void> {
  for (const [i, body] of bodies.entries()) {
    const code = await zipOf(body);
    if (i === 0) {
      await lambda.send(
        new CreateFunctionCommand({
          FunctionName: name,
          Role: ROLE,
          Runtime: 'nodejs20.x',
          Handler: 'index.handler',
          Code: { ZipFile: code },
        }),
      );
    } else await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile: code }));
    await settled(lambda, name);
    await lambda.send(new PublishVersionCommand({ FunctionName: name }));
  }
}

/** Maps a queue to a function, not enabled. The mapping's UUID. */
export async function mapTo(lambda: LambdaClient, FunctionName: string, queue: string): Promise<string> {
  const EventSourceArn = `arn:aws:sqs:us-east-1:000000000000:${queue}`;
  const made = await lambda.send(new CreateEventSourceMappingCommand({ FunctionName, EventSourceArn, Enabled: false }));
  return made.UUID ?? '';
}

/** Calls about one function, as its publisher makes them; the client is there once a test runs. */
export function publisherOf(client: () => LambdaClient, FunctionName: string) {
  return {
    now: () => client().send(new GetFunctionConfigurationCommand({ FunctionName })),
    publish: (guards = {}) => client().send(new PublishVersionCommand({ FunctionName, ...guards })),
    configure: (rest: object) => client().send(new UpdateFunctionConfigurationCommand({ FunctionName, ...rest })),
    code: async (body: string, guards = {}) =>
      client().send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: await zipOf(body), ...guards })),
  };
}

/** A function with SnapStart, which Node's runtimes do not have; nothing is published. */
export async function snapStartFunction(lambda: LambdaClient, name: string): Promise<void> {
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Role: ROLE,
      Runtime: 'python3.12',
      Handler: 'index.handler',
      Code: { ZipFile: await zipWith('index.py', 'def handler(event, context):\n    return 1\n') },
      SnapStart: { ApplyOn: 'PublishedVersions' },
    }),
  );
  await settled(lambda, name);
}

/** Invokes and says what came back. */
export async function call(lambda: LambdaClient, name: string, qualifier?: string, payload: unknown = {}) {
  const answer = await lambda.send(
    new InvokeCommand({
      FunctionName: name,
      ...(qualifier === undefined ? {} : { Qualifier: qualifier }),
      Payload: Buffer.from(JSON.stringify(payload)),
    }),
  );
  const body: unknown = JSON.parse(Buffer.from(answer.Payload ?? []).toString('utf8'));
  return { version: answer.ExecutedVersion, error: answer.FunctionError, body, log: answer.LogResult };
}

/** Name of the exception a promise is rejected with. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as Error).name;
  }
  return 'not refused';
}
