/**
 * `node --experimental-vm-modules scripts/test.mjs [--long|--services|--tls] JEST-ARGS…`: the set-up, then jest in this same process.
 * With `--long` the suites that take minutes each; with `--services` those that need what npm and PyPI cannot bring; with
 * `--tls` those on a Temporal server built by Go.
 */
import path from 'node:path';
import { findChromium } from './chromium.mjs';
import { findPrometheus } from './prometheus.mjs';
import { findRecipes } from './recipes.mjs';
import { ROOT, ready } from './setup.mjs';
import { findTemporalServer } from './temporal-server.mjs';

/** What a set of suites needs beside the set-up, and its configuration. */
const SETS = {
  '--long': { name: 'test:long', config: 'jest.long.config.js', find() {} },
  '--services': {
    name: 'test:services',
    config: 'jest.services.config.js',
    find() {
      process.env.SLUICE_CHROMIUM = findChromium();
      process.env.SLUICE_PROMETHEUS = findPrometheus(path.join(ROOT, '.sluice', 'prometheus'));
      const { python, sam, cdk } = findRecipes(path.join(ROOT, '.sluice', 'recipes'));
      Object.assign(process.env, { SLUICE_PYTHON: python, SLUICE_SAM: sam, SLUICE_CDK: cdk });
    },
  },
  '--tls': {
    name: 'test:tls',
    config: 'jest.tls.config.js',
    find() {
      process.env.SLUICE_TEMPORAL_SERVER = findTemporalServer(path.join(ROOT, '.sluice', 'temporal-server'));
    },
  },
};

const set = SETS[process.argv[2]];
const args = process.argv.slice(set === undefined ? 2 : 3);
if (!(await ready('test'))) process.exit(1);
process.chdir(ROOT);
try {
  set?.find();
} catch (error) {
  process.stderr.write(`${set.name}: ${error.message}\n`);
  process.exit(1);
}
process.env.NODE_ENV ??= 'test';
// As in run.mjs: the versions are pinned.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
const { run } = await import('jest');
await run(['--config', set?.config ?? 'jest.config.js', ...args]);
