/**
 * `node scripts/tally.mjs PART=STATUS:FILE…`: adds up what the parts of CI wrote, prints `N passed, N failed` as the last
 * line, and fails unless everything passed. A part that failed without saying what counts as one failure, and so does a
 * test that did not run: nothing is left out.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Passed and failed of one part: `result` is the checks' list, jest's JSON, or null when there is none. */
export function countOf(status, result) {
  const { passed, failed } = counted(result);
  return { passed, failed: status !== 0 && failed === 0 ? 1 : failed };
}

function counted(result) {
  if (result === null) return { passed: 0, failed: 1 };
  if (Array.isArray(result)) {
    const passed = result.filter(({ ok }) => ok).length;
    return { passed, failed: result.length - passed };
  }
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites, numPendingTests, numTodoTests } = result;
  const failed = numFailedTests + numRuntimeErrorTestSuites + numPendingTests + numTodoTests;
  return { passed: numPassedTests, failed: numPassedTests + failed === 0 ? 1 : failed };
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const total = { passed: 0, failed: 0 };
  for (const argument of process.argv.slice(2)) {
    const [, part, status, file] = /^(.+?)=(\d+):(.+)$/.exec(argument);
    const { passed, failed } = countOf(Number(status), read(file));
    process.stdout.write(`${part}: ${passed} passed, ${failed} failed\n`);
    total.passed += passed;
    total.failed += failed;
  }
  process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
  process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
}
