import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteAliasCommand,
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  GetProvisionedConcurrencyConfigCommand,
  LambdaClient,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import { type EmulatedAws, type FaultRule, startAws, type Write } from '../../emulators/aws/index.js';
import { mark, parseMark } from '../../src/model/ids.js';
import type { Artifact } from '../../src/model/spec.js';
import { ALONE, createBudget } from '../../src/platforms/drivers.js';
import { awsClients, createLambdaDriver } from '../../src/platforms/lambda/driver/index.js';
import { ACTIONS } from '../../src/platforms/lambda/driver/permissions.js';
import type { Split } from '../../src/platforms/port.js';
import { artifactsIn, type TestArtifacts } from '../support/artifacts.js';
import { specFor } from '../support/specs.js';
import { until } from '../support/until.js';
import { describeDriver } from './driver.js';
import type { ConformanceFixture, Fault, FaultPoint, TestTarget } from './fixture.js';

const ROLE = 'arn:aws:iam::000000000000:role/fn';
const REGION = 'us-east-1';

const OPERATIONS: Record<FaultPoint, string[]> = {
  read: ['GetAlias'],
  traffic: ['UpdateAlias', 'CreateAlias'],
  code: ['UpdateFunctionCode'],
  configuration: ['UpdateFunctionConfiguration'],
  publish: ['PublishVersion'],
};

function effect(fault: Fault, operation: string): Partial<FaultRule> {
  switch (fault) {
    case 'throttle':
      return { error: { code: 'TooManyRequestsException', status: 429 } };
    case 'serverError':
      return { error: { code: 'ServiceException', status: 500 } };
    case 'reset':
      return { reset: true };
    case 'lostAnswer':
      return { response: { abort_bytes: 0 } };
    case 'held':
      return { latency: 1_500 };
    case 'denied': {
      const message = `User: arn:aws:iam::000000000000:user/ci is not authorized to perform: lambda:${operation}`;
      return { error: { code: 'AccessDeniedException', status: 403, message } };
    }
    case 'badCredentials':
      return { error: { code: 'UnrecognizedClientException', status: 403, message: 'The security token is invalid.' } };
  }
}

/** Versions by content, an alias a target; one function serves the targets that do not ask for their own. */
class LambdaFixture implements ConformanceFixture {
  readonly traits = {
    refusesLateWrites: true,
    endsSplitFirst: false,
    capacityByRelease: true,
    restingCapacity: 0,
    refersToReleases: true,
    absent: 999,
  };
  readonly driver;
  private readonly artifacts: TestArtifacts;
  private made = 0;
  private shared: Promise<[string, string]> | null = null;

  constructor(
    private readonly aws: EmulatedAws,
    private readonly lambda: LambdaClient,
    private readonly folder: string,
  ) {
    const clients = awsClients(REGION);
    this.artifacts = artifactsIn(path.join(this.folder, 'store'));
    this.driver = createLambdaDriver({
      clients: () => clients,
      budget: createBudget({ perSecond: 200, share: () => ALONE }),
      artifacts: this.artifacts,
    });
  }

  async newTarget({ live = true, alone = false } = {}): Promise<TestTarget> {
    const n = ++this.made;
    const fn = alone ? `alone-${n}` : 'shared';
    const alias = `live-${n}`;
    if (!alone) this.shared ??= this.functionWith(fn);
    const releases = alone ? await this.functionWith(fn) : await (this.shared as Promise<[string, string]>);
    const target = this.target(fn, alias, `t${n}`, releases);
    if (live) await target.writeOutside({ stable: releases[0], candidate: null, weight: 0 });
    target.forgetWrites();
    return target;
  }

  async inject(fault: Fault, at: FaultPoint, times: number): Promise<void> {
    await this.aws.faults.forget();
    await this.aws.faults.set(
      OPERATIONS[at].map((operation) => ({ service: 'lambda', operation, times, ...effect(fault, operation) })),
    );
  }

  async struck(): Promise<number> {
    return (await this.aws.faults.fired()).length;
  }

  heal(): Promise<void> {
    return this.aws.faults.clear();
  }

  async stop(): Promise<void> {
    await this.aws.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private target(fn: string, alias: string, environment: string, releases: [string, string]): TestTarget {
    let seen = 0;
    const writes = () =>
      this.aws
        .writes()
        .filter((write) => write.function === fn && write.qualifier === alias && write.operation.endsWith('Alias'))
        // A look tries the permission with a write that asks for nothing; it must be refused.
        .filter((write) => write.request.functionVersion !== undefined || write.status < 300);
    const at = (name: string) => this.aliasAt(fn, name);
    return {
      releases,
      spec: (overrides = {}) =>
        specFor(
          { type: 'canary', stages: [] },
          {
            environment,
            target: { platform: 'lambda', function: fn, alias, region: REGION, account: 'default' },
            release: { version: Number(releases[1]) },
            ...overrides,
          },
        ),
      source: async (content) => ({ artifact: await this.pack(content) }),
      read: async () => at(alias),
      writeOutside: async (split, text = '') => {
        const weights = split.candidate === null ? {} : { [split.candidate]: split.weight / 100 };
        const input = {
          FunctionName: fn,
          Name: alias,
          FunctionVersion: split.stable,
          RoutingConfig: { AdditionalVersionWeights: weights },
          Description: text,
        };
        const there = (await at(alias)) !== null;
        if (there) await this.lambda.send(new UpdateAliasCommand(input));
        else await this.lambda.send(new CreateAliasCommand(input));
      },
      deleteOutside: async () => {
        await this.lambda.send(new DeleteAliasCommand({ FunctionName: fn, Name: alias }));
      },
      referTo: async (version) => {
        const who = { StatementId: 'gateway', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com' };
        await this.lambda.send(new AddPermissionCommand({ FunctionName: fn, Qualifier: version, ...who }));
      },
      existing: async () => {
        const { Versions } = await this.lambda.send(
          new ListVersionsByFunctionCommand({ FunctionName: fn, MaxItems: 1_000 }),
        );
        return (Versions ?? []).map((version) => version.Version ?? '').filter((version) => version !== '$LATEST');
      },
      capacityOf: async (version) => {
        const asked = new GetProvisionedConcurrencyConfigCommand({ FunctionName: fn, Qualifier: version });
        const found = await this.lambda.send(asked).catch((error: unknown) => {
          if (error instanceof Error && error.name === 'ProvisionedConcurrencyConfigNotFoundException') return null;
          throw error;
        });
        return found?.Status === 'READY' ? (found.AllocatedProvisionedConcurrentExecutions ?? 0) : 0;
      },
      digestOf: async (version) => {
        const found = await this.lambda.send(
          new GetFunctionConfigurationCommand({ FunctionName: fn, Qualifier: version }),
        );
        return found.CodeSha256 ?? '';
      },
      environments: async () => ({
        blue: (await at(`${alias}-blue`))?.split.stable ?? null,
        green: (await at(`${alias}-green`))?.split.stable ?? null,
      }),
      writes: () => writes().slice(seen).map(trafficWrite),
      forgetWrites: () => {
        seen = writes().length;
      },
    };
  }

  private async aliasAt(fn: string, name: string): Promise<{ split: Split; text: string } | null> {
    try {
      const found = await this.lambda.send(new GetAliasCommand({ FunctionName: fn, Name: name }));
      const weights = found.RoutingConfig?.AdditionalVersionWeights ?? {};
      return { split: splitOf(found.FunctionVersion ?? null, weights), text: found.Description ?? '' };
    } catch (error) {
      if (error instanceof Error && error.name === 'ResourceNotFoundException') return null;
      throw error;
    }
  }

  /** A function with two published versions. */
  private async functionWith(name: string): Promise<[string, string]> {
    const [one, two] = [await this.pack(`${name} one`), await this.pack(`${name} two`)];
    await this.lambda.send(
      new CreateFunctionCommand({
        FunctionName: name,
        Role: ROLE,
        Runtime: 'nodejs20.x',
        Handler: 'index.handler',
        Code: { ZipFile: await this.read(one) },
      }),
    );
    const first = await this.publish(name);
    await this.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile: await this.read(two) }));
    return [first, await this.publish(name)];
  }

  private async publish(name: string): Promise<string> {
    await until(`${name} is settled`, async () => {
      const now = await this.lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
      return now.State === 'Active' && now.LastUpdateStatus === 'Successful';
    });
    return (await this.lambda.send(new PublishVersionCommand({ FunctionName: name }))).Version ?? '';
  }

  private async pack(content: string) {
    const folder = await mkdtemp(path.join(this.folder, 'code-'));
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, 'index.mjs'), `export const handler = async () => ${JSON.stringify(content)};\n`);
    return this.artifacts.pack(folder, 'lambda');
  }

  private read(artifact: Artifact) {
    return this.artifacts.read(artifact);
  }
}

function splitOf(stable: string | null, weights: Record<string, number>): Split {
  const [extra] = Object.entries(weights);
  return extra === undefined
    ? { stable, candidate: null, weight: 0 }
    : { stable, candidate: extra[0], weight: Math.round(extra[1] * 1e6) / 1e4 };
}

function trafficWrite(write: Write) {
  const found = parseMark(write.request.description);
  return {
    mark: found === null ? null : mark(found.app, found.environment, found.run, found.step),
    split: splitOf(write.request.functionVersion ?? null, write.request.weights ?? {}),
    applied: write.status < 300,
  };
}

describeDriver('Lambda', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-conformance-'));
  // The driver has the role that docs/platforms.md shows, and nothing more.
  const roles = { worker: Object.values(ACTIONS).flat() };
  const aws = await startAws({ faults: true, provisioningMs: 300, updatingMs: 50, roles });
  process.env.AWS_ACCESS_KEY_ID = 'worker';
  process.env.AWS_SECRET_ACCESS_KEY = 'worker';
  // The driver meets the faults; the test's own hand does not.
  process.env.AWS_ENDPOINT_URL = aws.endpoint;
  const credentials = { accessKeyId: 'admin', secretAccessKey: 'admin' };
  const lambda = new LambdaClient({ endpoint: aws.gatewayUrl, region: REGION, credentials });
  return new LambdaFixture(aws, lambda, folder);
});
