/** The functions of a run: a stable version 1 that is live, and the candidate as version 2. */

import { buffer } from 'node:stream/consumers';
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  PublishVersionCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import { ZipFile } from 'yazl';
import { until } from '../../test/support/until.js';

export const ALIAS = 'live';
const STABLE = '1';
export const CANDIDATE = '2';
/** Percent of the requests that the candidate gets. */
export const WEIGHT = 10;

export function clientOptions(endpoint: string) {
  return { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'demo', secretAccessKey: 'demo' } };
}

export class Targets {
  private readonly lambda: LambdaClient;

  constructor(endpoint: string) {
    this.lambda = new LambdaClient(clientOptions(endpoint));
  }

  /**
   * Both versions, called once each so that no user meets a cold start. `logFormat` JSON costs the emulated cloud work for each
   * answer, so only who reads the log has it.
   */
  async create(name: string, [stable, candidate]: [string, string], logFormat: 'JSON' | 'Text'): Promise<void> {
    await this.lambda.send(
      new CreateFunctionCommand({
        FunctionName: name,
        Runtime: 'nodejs20.x',
        Handler: 'index.handler',
        Role: 'arn:aws:iam::000000000000:role/bench',
        LoggingConfig: { LogFormat: logFormat },
        Code: { ZipFile: await zipOf(stable) },
      }),
    );
    await this.publish(name);
    await this.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile: await zipOf(candidate) }));
    await this.publish(name);
    await this.lambda.send(new CreateAliasCommand({ FunctionName: name, Name: ALIAS, FunctionVersion: STABLE }));
    for (const version of [STABLE, CANDIDATE]) await this.probe(name, version);
  }

  /** Gives the candidate its share of the requests, or takes it away. */
  async split(name: string, weight: number): Promise<void> {
    await this.lambda.send(
      new UpdateAliasCommand({
        FunctionName: name,
        Name: ALIAS,
        RoutingConfig: { AdditionalVersionWeights: weight === 0 ? {} : { [CANDIDATE]: weight / 100 } },
      }),
    );
  }

  /** Ends the processes of the function too. */
  async delete(name: string): Promise<void> {
    await this.lambda.send(new DeleteFunctionCommand({ FunctionName: name }));
  }

  close(): void {
    this.lambda.destroy();
  }

  private async publish(name: string): Promise<void> {
    await until(`function ${name} is ready`, async () => {
      const now = await this.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
      return now.State === 'Active' && now.LastUpdateStatus === 'Successful';
    });
    await this.lambda.send(new PublishVersionCommand({ FunctionName: name }));
  }

  private async probe(name: string, version: string): Promise<void> {
    const Payload = Buffer.from(JSON.stringify({ user: 'probe' }));
    await this.lambda.send(new InvokeCommand({ FunctionName: name, Qualifier: version, Payload }));
  }
}

function zipOf(text: string): Promise<Buffer> {
  const zip = new ZipFile();
  zip.addBuffer(Buffer.from(text), 'index.mjs');
  zip.end();
  return buffer(zip.outputStream);
}
