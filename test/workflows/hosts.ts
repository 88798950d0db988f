/** A real server, and two hosts whose workers serve many plays at a time. A host can die; another takes its place. */
import { ApplicationFailure } from '@temporalio/activity';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { Limits } from '../../activities/types.js';
import { startTemporal } from '../../emulators/temporal.js';
import { accountQueue, TASK_QUEUE } from '../../src/model/ids.js';
import { workflowBundle } from '../support/bundle.js';
import { accountOf, lightOf, type Target } from './stage.js';

const AT = { platform: 'lambda', account: 'default', region: 'us-east-1' };

/** Between two of a watcher's signs of life, in ms. */
const PACE = 50;

interface Part {
  target: Target;
  limits: Partial<Limits>;
}

interface Running {
  die(): Promise<void>;
}

export interface Hosts {
  client: Client;
  /** Puts the target of an app into the account. */
  put(app: string, part: Part): void;
  /** How often an activity has begun, watchers aside: what has happened so far. */
  calls(): number;
  /** A host dies: what it was doing has no effect and no answer, and is tried again by the others. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

export async function startHosts(): Promise<Hosts> {
  const temporal = await startTemporal({ headless: true });
  const connection = await Connection.connect({ address: temporal.address });
  const parts = new Map<string, Part>();
  const start = () => startHost(temporal.address, parts);
  const running = [await start(), await start()];
  return {
    client: new Client({ connection }),
    put: (app, part) => void parts.set(app, part),
    calls: () => {
      let calls = 0;
      for (const { target } of parts.values()) for (const call of target.calls) if (call !== 'watch') calls += 1;
      return calls;
    },
    crash: async () => {
      running.push(await start());
      await running.shift()?.die();
    },
    stop: async () => {
      await Promise.all(running.map((host) => host.die()));
      await connection.close();
      await temporal.stop();
    },
  };
}

async function startHost(address: string, parts: Map<string, Part>): Promise<Running> {
  // Of its own: two workers of a queue cannot share one.
  const connection = await NativeConnection.connect({ address });
  const life = new AbortController();
  const partOf = (app: string): Part => {
    const part = parts.get(app);
    if (part === undefined) throw ApplicationFailure.nonRetryable(`nobody has put the target of ${app} here`);
    return part;
  };
  const host = {
    targetOf: (app: string) => partOf(app).target,
    rest: () => rest(PACE, life.signal),
    now: async () => Date.now(),
    mustLive: () => {
      if (life.signal.aborted)
        throw ApplicationFailure.create({ message: 'the worker died', type: 'SLUICE_PROVIDER', nextRetryDelay: PACE });
    },
  };
  const limitsOf = (app: string): Limits => ({
    history: 4_000,
    signals: 2_000,
    heartbeat: 30_000,
    callLife: 60_000,
    ...partOf(app).limits,
  });
  const common = {
    connection,
    maxHeartbeatThrottleInterval: '50ms',
    defaultHeartbeatThrottleInterval: '50ms',
  } as const;
  const activities = accountOf(host);
  const workers = await Promise.all([
    Worker.create({
      ...common,
      ...workflowBundle(),
      taskQueue: TASK_QUEUE,
      activities: lightOf(host, limitsOf, false),
      // Everything is forgotten between two tasks, so that each of them replays the run.
      maxCachedWorkflows: 0,
      // A context that is shared cannot always be left by a worker that goes in the middle of a task.
      reuseV8Context: false,
    }),
    ...(['calls', 'watch', 'restore'] as const).map((lane) =>
      Worker.create({ ...common, taskQueue: accountQueue(AT, lane), activities }),
    ),
  ]);
  const runs = workers.map((worker) => worker.run());
  return {
    die: async () => {
      life.abort();
      for (const worker of workers) worker.shutdown();
      await Promise.all(runs);
      await connection.close();
    },
  };
}

/** Ends after `ms`, or with the signal. */
export function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
