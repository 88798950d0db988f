/** A worker as a process of its own: `node dist/src/worker/main.js`. Drains on SIGTERM and SIGINT. */
import { describeError } from '../cli/error-report.js';
import { runWorker } from './process.js';

try {
  await runWorker();
  // What the SDK still tries to tell a server that is away would hold the process open for ever.
  process.stderr.write('', () => process.exit());
} catch (error) {
  const { line, exit } = describeError(error);
  process.exitCode = exit;
  // Workers that were made and never ran would hold the process open for ever.
  process.stderr.write(line, () => process.exit());
}
