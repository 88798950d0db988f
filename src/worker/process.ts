/** A worker as this process: from its environment until it has drained. */
import { setTimeout as pause } from 'node:timers/promises';
import { Runtime } from '@temporalio/worker';
import { pino } from 'pino';
import { addressOf, connectLink } from '../client/index.js';
import { SluiceError } from '../model/errors.js';
import { BEAT_EVERY } from '../model/workers.js';
import { openWarning, workerConfig } from './config.js';
import { type RunningWorker, SHUTDOWN_GRACE, startWorker } from './index.js';
import { workerLogger } from './log.js';

/**
 * Resolves once it has drained, after SIGTERM or SIGINT. Errors: SLUICE_UNREACHABLE, SLUICE_SETUP and anything else that
 * keeps it from starting. The caller must end the process after an error: workers that were created and never ran would hold
 * it open for ever.
 */
export async function runWorker(): Promise<void> {
  Runtime.install({
    logger: workerLogger(process.env.SLUICE_LOG_LEVEL ?? 'info', pino.destination(2)),
    // The signals are handled below, so that the workers drain and the process says how it ended.
    shutdownSignals: [],
    workerHeartbeatInterval: BEAT_EVERY,
  });
  const config = workerConfig(process.env);
  const open = openWarning(config);
  if (open !== null) Runtime.instance().logger.warn(open);
  const worker = await startWorker(config).catch((error: unknown) => {
    throw error instanceof SluiceError ? error : notStarted(error);
  });
  const asked = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  process.stdout.write(
    `${JSON.stringify({ ready: true, pid: process.pid, health: worker.healthUrl, policy: config.policy?.digest ?? null, accounts: config.accounts.map(({ account, region }) => `${account}@${region}`) })}\n`,
  );
  // A worker that fails by itself says so; one that was told to stop does not fail for lack of a server.
  if (await Promise.race([worker.done.then(() => false), asked.then(() => true)])) await drained(worker);
}

/** Longest wait for a worker that drains without a server, in ms: running activities have their grace, and then end. */
const GRACE = SHUTDOWN_GRACE + 2_000;
/** Between two looks whether the server is away, and longest look, in ms. */
const LOOK_EVERY = 1_000;
const LOOK_WITHIN = 2_000;

/**
 * Ends a worker. With the server away nothing that it runs can be reported, and the SDK would try for ever; its tasks are run
 * again by another worker, once their heartbeats are missed.
 */
async function drained(worker: RunningWorker): Promise<void> {
  const { address } = addressOf();
  const until = performance.now() + GRACE;
  let away = false;
  const look = async () => {
    // Looks can overlap.
    if (away || (await answers()) || away) return;
    away = true;
    process.stderr.write(
      `the worker is stopping while the Temporal server at ${address} cannot be reached: it cannot report its results, and another worker will run its tasks again\n`,
    );
  };
  const first = look();
  worker.shutdown();
  const ended = worker.done.then(
    () => ({ error: null }),
    (error: unknown) => ({ error }),
  );
  for (;;) {
    const done = await Promise.race([ended, pause(LOOK_EVERY, null)]);
    await (done === null ? look() : first);
    if (done !== null) {
      if (done.error === null || away) return;
      throw done.error;
    }
    if (away && performance.now() >= until) return;
  }
}

async function answers(): Promise<boolean> {
  return connectLink({ within: LOOK_WITHIN }).then(
    async (link) => {
      await link.close();
      return true;
    },
    (error: unknown) => !(error instanceof SluiceError && error.code === 'SLUICE_UNREACHABLE'),
  );
}

/** Such as a namespace that is not there, or a port that is taken: a setting, and no defect. */
function notStarted(error: unknown): SluiceError {
  return new SluiceError(
    'SLUICE_SETUP',
    `the worker cannot start: ${error instanceof Error ? error.message : String(error)}. Check the server with \`sluice doctor\``,
  );
}
