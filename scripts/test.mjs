/**
 * `node --experimental-vm-modules scripts/test.mjs [--services] JEST-ARGS…`: the set-up, then jest in this same process.
 * With `--services` the suites that need what npm and PyPI cannot bring.
 */
import path from 'node:path';
import { findChromium } from './chromium.mjs';
import { findPrometheus } from './prometheus.mjs';
import { ROOT, ready } from './setup.mjs';

const services = process.argv[2] === '--services';
const args = process.argv.slice(services ? 3 : 2);
if (!(await ready(services ? 'services' : 'test'))) process.exit(1);
process.chdir(ROOT);
if (services) {
  try {
    process.env.SLUICE_CHROMIUM = findChromium();
    process.env.SLUICE_PROMETHEUS = findPrometheus(path.join(ROOT, '.sluice', 'prometheus'));
  } catch (error) {
    process.stderr.write(`test:services: ${error.message}\n`);
    process.exit(1);
  }
}
process.env.NODE_ENV ??= 'test';
// As in run.mjs: the versions are pinned.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
const { run } = await import('jest');
await run(['--config', services ? 'jest.services.config.js' : 'jest.config.js', ...args]);
