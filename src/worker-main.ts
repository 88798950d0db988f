/** A worker as a process of its own: `node dist/src/worker-main.js`. Drains on SIGTERM and SIGINT. */
import { Runtime } from '@temporalio/worker';
import { pino } from 'pino';
import { startWorker } from './worker.js';
import { openWarning, workerConfig } from './worker-config.js';
import { workerLogger } from './worker-log.js';

Runtime.install({
  logger: workerLogger(process.env.SLUICE_LOG_LEVEL ?? 'info', pino.destination(2)),
  // The signals are handled below, so that the workers drain and the process says how it ended.
  shutdownSignals: [],
});

try {
  const config = workerConfig(process.env);
  const open = openWarning(config);
  if (open !== null) Runtime.instance().logger.warn(open);
  const worker = await startWorker(config);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => worker.shutdown());
  process.stdout.write(
    `${JSON.stringify({ ready: true, pid: process.pid, health: worker.healthUrl, policy: config.policy?.digest ?? null, accounts: config.accounts.map(({ account, region }) => `${account}@${region}`) })}\n`,
  );
  await worker.done;
} catch (error) {
  process.exitCode = 1;
  // Workers that were made and never ran would hold the process open for ever.
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`, () => process.exit());
}
