/** What the leak test runs on: one Temporal server, both emulated clouds, one worker process for both, servers outside, people. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { Client, Connection } from '@temporalio/client';
import { type EmulatedAws, startAws } from '../../emulators/aws/index.js';
import { type EmulatedAzure, startAzure } from '../../emulators/azure/index.js';
import type { Answer, Call } from '../../emulators/http.js';
import type { Running } from '../../emulators/process.js';
import { type LocalTemporal, startTemporal } from '../../emulators/temporal.js';
import { run } from '../../src/cli/main.js';
import { connect, type Sluice } from '../../src/client/index.js';
import { awsEnv } from '../../src/demo/clouds/lambda.js';
import { startWorkerProcess } from '../../src/demo/stack.js';
import { NEVER } from '../support/until.js';
import { type Marks, makeMarks, SECRETS, type SecretName } from './marks.js';
import { type Receiver, startReceiver } from './receiver.js';
import { writeReleases } from './release.js';

/** A request to an emulated cloud. */
export interface CloudCall {
  cloud: 'aws' | 'azure';
  call: Call;
  answer: Answer | null;
}

export interface World {
  folder: string;
  /** Folders of the worker's own files: its artifact store and its logs. */
  kept: { store: string; workerLog: string; serverLog: string; database: string };
  marks: Marks;
  temporal: LocalTemporal;
  client: Client;
  aws: EmulatedAws;
  azure: EmulatedAzure;
  receiver: Receiver;
  /** Every request to a cloud that was not the test's own. */
  calls: CloudCall[];
  worker: Running;
  people: Record<'ann' | 'ben', Sluice>;
  releases: string;
  /** SIGKILL the worker; another one takes over. */
  crash(): Promise<void>;
  /** `sluice ARGV` of a person, in this process: all that it says. */
  cli(argv: string[], by?: 'ann' | 'ben'): Promise<string>;
  stop(): Promise<void>;
}

/** A world of its own, in a folder of this name, for as long as `work` takes. */
export async function withWorld<T>(name: string, work: (world: World) => Promise<T>): Promise<T> {
  const folder = path.resolve('.sluice', 'leaks', `${name}-${process.pid}`);
  const world = await startWorld(folder);
  try {
    return await work(world);
  } finally {
    await world.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Starts all of it; what had started is ended again when a later part does not come up. */
export async function startWorld(folder: string): Promise<World> {
  const started: { stop(): Promise<unknown> }[] = [];
  const stop = async () => {
    for (const part of started.splice(0).reverse()) await part.stop().catch(() => undefined);
  };
  try {
    return await build(
      folder,
      (part) => {
        started.push(part);
        return part;
      },
      stop,
    );
  } catch (error) {
    await stop();
    throw error;
  }
}

type Keep = <T extends { stop(): Promise<unknown> }>(part: T) => T;

async function build(folder: string, keep: Keep, stop: () => Promise<void>): Promise<World> {
  mkdirSync(folder, { recursive: true });
  const marks = makeMarks();
  const kept = {
    store: path.join(folder, 'artifacts'),
    workerLog: path.join(folder, 'worker.log'),
    serverLog: path.join(folder, 'temporal.log'),
    database: path.join(folder, 'temporal.db'),
  };
  const calls: CloudCall[] = [];
  const seen = (cloud: CloudCall['cloud']) => (call: Call, answer: Answer | null) =>
    void calls.push({ cloud, call, answer });
  const [temporal, aws, azure, receiver] = await Promise.all([
    startTemporal({ dbFile: kept.database, headless: true, logFile: kept.serverLog }).then(keep),
    startAws({ faults: true, onCall: seen('aws') }).then(keep),
    startAzure({
      folder: path.join(folder, 'azure'),
      ...{ throttle: false, retryAfterSeconds: 0, clientSecret: marks.azureClientSecret, onCall: seen('azure') },
    }).then(keep),
    startReceiver(),
  ]);
  keep({ stop: () => receiver.close() });
  await fillStores(aws, azure, marks, folder);
  const env = workerEnv(folder, marks, aws, azure);
  const another = () => startWorkerProcess({ temporal: temporal.address, folder, env });
  const connection = await Connection.connect({ address: temporal.address });
  keep({ stop: () => connection.close() });
  const envOf = (by: 'ann' | 'ben') => ({
    TEMPORAL_ADDRESS: temporal.address,
    SLUICE_STORE: kept.store,
    USER: by,
    SLUICE_KEY: path.join(folder, 'keys', `${by}.json`),
  });
  const [ann, ben] = await Promise.all([connect({ env: envOf('ann') }), connect({ env: envOf('ben') })]);
  keep({ stop: () => Promise.all([ann.close(), ben.close()]) });
  const releases = path.join(folder, 'releases');
  writeReleases(releases);
  const client = new Client({ connection });
  const [worker] = await Promise.all([another(), warmUp(aws)]);
  const people = { ann, ben };
  const world: World = {
    ...{ folder, kept, marks, temporal, client, aws, azure, receiver, calls, people, releases },
    worker,
    crash: async () => {
      await world.worker.kill9();
      world.worker = await another();
    },
    cli: (argv, by = 'ann') => cli(argv, envOf(by), folder),
    stop,
  };
  keep({ stop: () => world.worker.stop() });
  return world;
}

/** Puts each secret where its reference says, past everything that is searched. */
async function fillStores(aws: EmulatedAws, azure: EmulatedAzure, { secrets }: Marks, folder: string): Promise<void> {
  const credentials = { accessKeyId: 'filler', secretAccessKey: 'filler' };
  const at = { endpoint: aws.ministackUrl, region: 'us-east-1', credentials };
  const [ssm, manager] = [new SSMClient(at), new SecretsManagerClient(at)];
  const object: Record<string, string> = {};
  for (const [name, reference] of Object.entries(SECRETS) as [SecretName, string][]) {
    const value = secrets[name];
    if (reference.startsWith('secret://aws-ssm/')) {
      await ssm.send(new PutParameterCommand({ Name: `/leaks/${name}`, Value: value, Type: 'SecureString' }));
    } else if (reference.startsWith('secret://aws-secretsmanager/')) object[name] = value;
    else if (reference.startsWith('secret://azure-keyvault/')) {
      azure.state.secrets[`https://leaks.vault.azure.net/secrets/${name}`] = value;
    } else if (reference.startsWith('secret://file/')) {
      mkdirSync(path.join(folder, 'secrets'), { recursive: true });
      writeFileSync(path.join(folder, 'secrets', name), value);
    }
  }
  await manager.send(new CreateSecretCommand({ Name: 'leaks/json', SecretString: JSON.stringify(object) }));
  ssm.destroy();
  manager.destroy();
}

/** The emulated stores learn their protocols with the first request, for seconds. */
async function warmUp(aws: EmulatedAws): Promise<void> {
  const credentials = { accessKeyId: 'filler', secretAccessKey: 'filler' };
  const at = { endpoint: aws.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 };
  const [ssm, manager] = [new SSMClient(at), new SecretsManagerClient(at)];
  const nothing = { Name: '/nothing' };
  await Promise.allSettled([
    ssm.send(new GetParameterCommand(nothing)),
    manager.send(new GetSecretValueCommand({ SecretId: nothing.Name })),
  ]);
  ssm.destroy();
  manager.destroy();
}

function workerEnv(folder: string, marks: Marks, aws: EmulatedAws, azure: EmulatedAzure): Record<string, string> {
  const keys = path.join(folder, 'keys');
  mkdirSync(keys, { recursive: true });
  const people = Object.entries(marks.people).map(([name, key]) => {
    writeFileSync(path.join(keys, `${name}.json`), JSON.stringify(key), { mode: 0o600 });
    return `  ${name}: {keys: ['${key.public}']}\n`;
  });
  const policy = path.join(folder, 'policy.yaml');
  writeFileSync(
    policy,
    `people:\n${people.join('')}rules:
  - allow: {start: [ann], skip: [ann], approve: [ben]}
    secrets:
      - references: ['**']
        hosts: ['127.0.0.1:*']
`,
  );
  return {
    ...azure.env,
    ...awsEnv(aws.endpoint),
    AWS_SECRET_ACCESS_KEY: marks.awsSecretKey,
    SLUICE_ACCOUNTS: `default@us-east-1,${azure.env.SLUICE_ACCOUNTS ?? ''}`,
    SLUICE_POLICY: policy,
    SLUICE_GRANT_KEY: marks.grantKey,
    SLUICE_DIGEST_KEY: marks.digestKey,
    SLUICE_SECRET_DIR: path.join(folder, 'secrets'),
    SLUICE_SECRET_ENVIRONMENT: marks.secrets['environment-env'],
    SLUICE_SECRET_WEBHOOK: marks.secrets['webhook-secret'],
    SLUICE_CALLS_PER_SECOND: '100',
    SLUICE_LOG_LEVEL: 'debug',
  };
}

async function cli(argv: string[], env: Record<string, string>, cwd: string): Promise<string> {
  let said = '';
  const sink = {
    write: (text: string) => {
      said += text;
    },
  };
  await run(argv, {
    ...{ stdout: sink, stderr: sink, env, cwd },
    signal: AbortSignal.timeout(NEVER),
    now: () => Date.now(),
    connect: () => connect({ env }),
    diagnose: () => Promise.reject(new Error('nobody asks for it')),
    stdin: async function* () {},
    hasScreen: () => false,
    openPage: async () => undefined,
  });
  return said;
}
