/** The composition root: builds the drivers, wires activities and workflows, runs the workers of one process. */

import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import type { WorkerOptions } from '@temporalio/worker';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { accountActivities } from '../../activities/account.js';
import { coreActivities } from '../../activities/core.js';
import type { AccountActivities } from '../../activities/types.js';
import { mayUseBy } from '../access/index.js';
import { Access } from '../authority/index.js';
import { addressOf, connectLink } from '../client/index.js';
import { codecOf, unsealerOf, workerConverterOf } from '../codec/index.js';
import { createEgress } from '../egress/index.js';
import { SluiceError } from '../model/errors.js';
import { identityOf } from '../model/identity.js';
import type { Lane } from '../model/ids.js';
import { accountQueue, TASK_QUEUE } from '../model/ids.js';
import { createPlatform } from '../platforms/drivers.js';
import { openArtifacts } from '../store/index.js';
import { livingWorkers } from '../temporal/living-workers.js';
import { ensureSearchAttributes } from '../temporal/search-attributes.js';
import type { ServedAccount, WorkerConfig } from './config.js';
import { fellowsWithOtherPolicy, watchFellows } from './fellows.js';
import { Shares } from './shares.js';

/** Slots by lane: watchers hold theirs for hours, restoring has its own, calls wait for the account's budget. */
const SLOTS: Record<Lane, number> = { calls: 50, watch: 500, restore: 50 };
/** Where workflows look for each activity of an account. Complete, so that none can be called that nobody serves. */
const LANES: Record<keyof AccountActivities, Lane> = {
  prepare: 'calls',
  inspect: 'calls',
  keep: 'calls',
  deploy: 'calls',
  warm: 'calls',
  shift: 'calls',
  promote: 'calls',
  retire: 'calls',
  takeBack: 'calls',
  sweep: 'calls',
  claim: 'calls',
  callers: 'calls',
  moveCallers: 'calls',
  watch: 'watch',
  probe: 'watch',
  errors: 'watch',
  restore: 'restore',
  adopt: 'restore',
  read: 'restore',
};

/**
 * Longest that a workflow may compute for one task. Replaying a flood of messages on a busy machine takes seconds, and an
 * interrupted workflow takes its whole process with it ("async hook stack has become corrupted"); what loops for ever is still
 * found. The SDK takes this option and does not declare it.
 */
const PATIENCE = { isolateExecutionTimeout: '1m' };

/**
 * How long a workflow's task waits for the process that has the workflow in memory. One that was killed never comes, and an
 * abort would wait for it (10 s by default); another worker then replays the history, which takes it milliseconds.
 */
const MEMORY = { stickyQueueScheduleToStartTimeout: '2s' } as const;

/** How long a worker waits for its server at its start, in ms: the two often start together. */
const SERVER_WITHIN = 15_000;

/** How long running activities go on after `shutdown` before they are cancelled, in ms. */
export const SHUTDOWN_GRACE = 10_000;

/** A running set of workers. */
export interface RunningWorker {
  /** Resolves when all have drained after `shutdown`, rejects when one has failed. */
  done: Promise<void>;
  /** Stops taking tasks; running ones get their grace. */
  shutdown(): void;
  healthUrl: string | null;
}

/** Workflow code: the bundle the build made, or the sources (slower to start). One of its own hides failures from the server. */
export function workflowSource(
  encrypts = false,
): Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath' | 'interceptors'> {
  const name = encrypts ? '../../workflow-bundle-encrypted.js' : '../../workflow-bundle.js';
  const bundle = fileURLToPath(new URL(name, import.meta.url));
  if (existsSync(bundle)) return { workflowBundle: { codePath: bundle } };
  const built = fileURLToPath(new URL('../../workflows/index.js', import.meta.url));
  const extension = existsSync(built) ? '.js' : '.ts';
  const source = (name: string) => fileURLToPath(new URL(`../../workflows/${name}${extension}`, import.meta.url));
  return { workflowsPath: source('index'), interceptors: { workflowModules: [source('interceptors')] } };
}

/** Connects, checks the namespace, and starts the workers. Errors: SLUICE_UNREACHABLE, SLUICE_SETUP. */
export async function startWorker(
  config: WorkerConfig,
  given?: ReturnType<typeof workflowSource>,
): Promise<RunningWorker> {
  const codec = codecOf(process.env);
  // First the one that says what is wrong with an address or a certificate.
  const link = await connectLink({ within: SERVER_WITHIN });
  const { address, namespace, temporal: client } = link;
  const connection = await NativeConnection.connect(addressOf().connectionOptions).catch(async (error: unknown) => {
    await link.close();
    throw new SluiceError(
      'SLUICE_UNREACHABLE',
      `no Temporal server at ${address}: ${error instanceof Error ? error.message : String(error)}. Set TEMPORAL_ADDRESS, or start one with \`sluice up\``,
    );
  });
  if (config.searchAttributes) await ensureSearchAttributes(connection, namespace);

  const access = new Access({ policy: config.policy, keys: config.grantKeys, openTargets: config.openTargets });
  // Unlike any other's: the same process id on the same host comes again with each restarted container.
  const identity = identityOf({
    ...{ pid: process.pid, host: hostname(), nonce: randomBytes(4).toString('hex') },
    policy: config.policy?.digest ?? null,
  });
  const common = {
    connection,
    identity,
    namespace,
    dataConverter: workerConverterOf(codec),
    maxHeartbeatThrottleInterval: '1s',
    defaultHeartbeatThrottleInterval: '1s',
    shutdownGraceTime: SHUTDOWN_GRACE,
    shutdownForceTime: '30s',
  } as const;
  const main = await Worker.create({
    ...common,
    ...(given ?? workflowSource(codec.encrypts)),
    ...PATIENCE,
    ...MEMORY,
    taskQueue: TASK_QUEUE,
    activities: coreActivities({
      client,
      searchAttributes: config.searchAttributes,
      limits: config.limits,
      access,
      artifacts: openArtifacts({ setting: config.store, namespace, env: process.env, cwd: process.cwd() }),
      codec: unsealerOf(codec),
      egress: createEgress(egressOptions(config))(null),
      workersOf: (queue) => livingWorkers(client, queue, 'activity'),
      otherPolicies: () => fellowsWithOtherPolicy(client, config.policy?.digest ?? null),
    }),
  });
  const lanes: Worker[] = [];
  const shares = new Shares(client, config.accounts, identity);
  for (const served of config.accounts) {
    lanes.push(...(await accountWorkers(common, config, served, { shares, access, client })));
  }

  const workers = [main, ...lanes];
  const health = config.healthPort === null ? null : await serveHealth(workers, config.healthPort, config.healthHost);
  const runs = workers.map((worker) => worker.run());
  // Once they poll, so that whoever comes at the same time finds them.
  shares.start();
  const fellows = watchFellows(client, config.policy?.digest ?? null, (text) => Runtime.instance().logger.warn(text));
  const shutdown = () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  const done = Promise.all(runs)
    .catch((error: unknown) => {
      shutdown();
      throw error;
    })
    .then(() => undefined)
    .finally(async () => {
      await Promise.allSettled(runs);
      await shares.stop();
      await fellows.stop();
      health?.close();
      await link.close();
      await connection.close();
    });
  return { done, shutdown, healthUrl: health === null ? null : health.url };
}

function egressOptions({ allowAddresses, policy }: WorkerConfig) {
  return { env: process.env, allowAddresses, mayUse: mayUseBy(policy) };
}

async function accountWorkers(
  common: Partial<WorkerOptions>,
  config: WorkerConfig,
  served: ServedAccount,
  { shares, access, client }: { shares: Shares; access: Access; client: Client },
): Promise<Worker[]> {
  const { namespace } = client.options;
  const artifacts = openArtifacts({ setting: config.store, namespace, env: process.env, cwd: process.cwd() });
  const platform = createPlatform({
    ...{ served, artifacts, callsPerSecond: config.callsPerSecond },
    share: shares.of(served),
  });
  const activities = accountActivities({
    driverFor: (spec) => platform.driverFor(spec.target),
    egressOf: createEgress({ ...egressOptions(config), served }),
    artifacts,
    access,
    client,
    sweep: platform.sweep,
  });
  const inLane = (lane: Lane) =>
    Object.fromEntries(Object.entries(activities).filter(([name]) => LANES[name as keyof AccountActivities] === lane));
  return Promise.all(
    (Object.keys(SLOTS) as Lane[]).map((lane) =>
      Worker.create({
        ...common,
        taskQueue: accountQueue(served, lane),
        activities: inLane(lane),
        maxConcurrentActivityTaskExecutions: SLOTS[lane],
      }),
    ),
  );
}

/** `/healthz`: the process lives. `/readyz`: every worker of it polls. */
async function serveHealth(workers: Worker[], port: number, host: string): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    const states = workers.map((worker) => ({ taskQueue: worker.options.taskQueue, state: worker.getState() }));
    const ready = states.every(({ state }) => state === 'RUNNING');
    const known = request.url === '/healthz' || request.url === '/readyz';
    const status = !known ? 404 : request.url === '/healthz' || ready ? 200 : 503;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(known ? { ready, workers: states } : { error: 'try /healthz or /readyz' }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(
              `port ${port} of ${host}, for its health (SLUICE_HEALTH_PORT), is taken by another program (EADDRINUSE)`,
            )
          : error,
      ),
    );
    server.listen(port, host, resolve);
  });
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    close: () => void server.close(),
  };
}
