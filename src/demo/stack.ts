/** Everything the demo runs on: a real Temporal server, the emulated cloud, a worker process. All on loopback, all ended together. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { startAws } from '../../emulators/aws/index.js';
import { freePort, onFreePorts, type Running, startProcess } from '../../emulators/process.js';
import { startTemporal } from '../../emulators/temporal.js';
import { projectRoot } from '../../emulators/tools.js';
import { packInput } from '../client/index.js';
import { codecOf, converterOf } from '../codec/index.js';
import type { RolloutInput } from '../model/spec.js';
import { type Aws, awsEnv } from './clouds/lambda.js';

type Temporal = Awaited<ReturnType<typeof startTemporal>>;

export interface Parts<C> {
  temporal: Temporal;
  cloud: C;
  worker: Running;
  client: Client;
  /** The worker's artifact store. */
  store: string;
  /** A workflow's argument with its code packed into that store, for a raw start. */
  pack(input: object): Promise<RolloutInput>;
  stop(): Promise<void>;
}

export interface PartsOptions<C> {
  /** Starts the emulated cloud. */
  cloud: () => Promise<C>;
  /** What a process needs in its environment to use it. */
  envOf: (cloud: C) => Record<string, string>;
}

export interface Stack extends Parts<Aws> {
  aws: Aws;
}

export interface StackOptions {
  /** With microburst before the cloud, for `aws.faults`. */
  faults?: boolean;
  /** Milliseconds that CloudWatch lags behind an invocation; none by default. */
  metricsDelayMs?: number;
  /** Actions by access key, see the emulated AWS. */
  roles?: Record<string, readonly string[]>;
  /** Called before a write to the emulated AWS gets its turn: where a test lets it land late. */
  beforeWrite?: NonNullable<Parameters<typeof startAws>[0]>['beforeWrite'];
  /** The worker's environment, beside what it needs to find the other parts. */
  workerEnv?: Record<string, string>;
}

/** All of it on the emulated AWS. */
export async function startStack(folder: string, options: StackOptions = {}): Promise<Stack> {
  const { faults = false, metricsDelayMs = 0, workerEnv = {}, roles = {}, beforeWrite } = options;
  const held = beforeWrite === undefined ? {} : { beforeWrite };
  const parts = await startParts(folder, {
    cloud: () => startAws({ faults, metricsDelayMs, roles, ...held }),
    envOf: (aws) => ({ ...awsEnv(aws.endpoint), ...workerEnv }),
  });
  return { ...parts, aws: parts.cloud };
}

/** Starts all of it; what had started is ended again when a later part does not come up. */
export async function startParts<C extends { stop(): Promise<unknown> }>(
  folder: string,
  { cloud: startCloud, envOf }: PartsOptions<C>,
): Promise<Parts<C>> {
  mkdirSync(folder, { recursive: true });
  const started: { stop(): Promise<unknown> }[] = [];
  const keep = <T extends { stop(): Promise<unknown> }>(part: T): T => {
    started.push(part);
    return part;
  };
  const stop = async () => {
    for (const part of started.reverse()) await part.stop().catch(() => undefined);
  };
  try {
    const [temporal, cloud] = await Promise.all([
      startTemporal({ logFile: path.join(folder, 'temporal.log') }).then(keep),
      startCloud().then(keep),
    ]);
    const env = envOf(cloud);
    const worker = keep(await startWorkerProcess({ temporal: temporal.address, folder, env }));
    const dataConverter = converterOf(codecOf({ ...process.env, ...env }));
    const connection = await Connection.connect({ address: temporal.address });
    started.push({ stop: () => connection.close() });
    const client = new Client({ connection, dataConverter });
    return { temporal, cloud, worker, client, store: storeIn(folder), pack: packerTo(storeIn(folder)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The artifact store of a worker whose files are in this folder. */
export function storeIn(folder: string): string {
  return path.join(folder, 'artifacts');
}

/** Packs the code of an argument into a store. */
export function packerTo(store: string) {
  return (input: { app?: unknown }) =>
    packInput({ app: String(input.app), input: { ...input } }, { env: { SLUICE_STORE: store } });
}

/** A worker of its own, as production runs it: `node dist/src/worker/main.js`. */
export async function startWorkerProcess(on: {
  temporal: string;
  folder: string;
  /** What it needs to find its cloud, at least. */
  env: Record<string, string>;
}): Promise<Running> {
  // Between the look for a free port and the worker's start another program may take it.
  return onFreePorts(async () => {
    const port = await freePort();
    return startProcess({
      name: 'worker',
      command: process.execPath,
      args: [path.join(projectRoot(), 'dist', 'src', 'worker', 'main.js')],
      env: {
        TEMPORAL_ADDRESS: on.temporal,
        SLUICE_STORE: storeIn(on.folder),
        SLUICE_LOG_LEVEL: 'warn',
        SLUICE_POLICY: 'open',
        SLUICE_HEALTH_PORT: String(port),
        ...on.env,
      },
      ports: [port],
      ready: async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok,
      within: 30_000,
      logFile: path.join(on.folder, 'worker.log'),
    });
  });
}
