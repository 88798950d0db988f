/** A worker as this process: from its environment until it has drained. */
import { Runtime } from '@temporalio/worker';
import { pino } from 'pino';
import { SluiceError } from './model/errors.js';
import { BEAT_EVERY } from './model/workers.js';
import { startWorker } from './worker.js';
import { openWarning, workerConfig } from './worker-config.js';
import { workerLogger } from './worker-log.js';

/**
 * Resolves once it has drained, after SIGTERM or SIGINT. Errors: SLUICE_UNREACHABLE, SLUICE_SETUP and what else keeps it from
 * starting. Whoever hears one must end the process: workers that were made and never ran would hold it open for ever.
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
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => worker.shutdown());
  process.stdout.write(
    `${JSON.stringify({ ready: true, pid: process.pid, health: worker.healthUrl, policy: config.policy?.digest ?? null, accounts: config.accounts.map(({ account, region }) => `${account}@${region}`) })}\n`,
  );
  await worker.done;
}

/** Such as a namespace that is not there, or a port that is taken: a setting, and no defect. */
function notStarted(error: unknown): SluiceError {
  return new SluiceError(
    'SLUICE_SETUP',
    `the worker cannot start: ${error instanceof Error ? error.message : String(error)}. \`sluice doctor\` looks at the server`,
  );
}
