/**
 * Sets up what a command needs, in the clone alone: `node scripts/setup.mjs [--for check|build|demo|test]`. An
 * installed package has `--for up` alone, which puts the tools of `sluice up` into the user's cache.
 * Needs Node, npm and Python with pip, and no package: node's own modules only. It says on standard error what it does;
 * a second run finds everything there, does nothing and says nothing.
 */
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from './setup/build.mjs';
import { endAll } from './setup/child.mjs';
import { SetupError } from './setup/error.mjs';
import { takeLock } from './setup/lock.mjs';
import { packages } from './setup/packages.mjs';
import { places, ROOT } from './setup/places.mjs';
import { temporalCli, testServer } from './setup/servers.mjs';
import { tools } from './setup/tools.mjs';
import { atLeast, NEEDS } from './setup/versions.mjs';

export { endAll, ROOT };

/** What each command needs, in the order it is made. */
const STEPS = {
  check: [packages],
  build: [packages, build],
  up: [tools, temporalCli],
  demo: [packages, tools, temporalCli, build],
  test: [packages, tools, temporalCli, testServer, build],
};

/**
 * Makes what is missing. Answers the names of the steps that did something, none when all was there.
 * @throws SetupError when something cannot be had; the message says what was tried and what to do.
 */
export async function setup(target = 'test', { root = ROOT, say = tell } = {}) {
  checkNode(process.versions.node);
  const at = places(root);
  const steps = STEPS[target]?.map((step) => step(at));
  if (steps === undefined) throw new SetupError(`--for takes ${Object.keys(STEPS).join(', ')}, not ${target}.`);
  if (steps.every((step) => step.fresh())) return [];
  const release = await takeLock(at, say);
  const done = [];
  try {
    // Before anything that takes long, so that who lacks something learns it at once.
    for (const step of steps) if (!step.fresh()) step.needs?.();
    for (const step of steps) {
      if (step.fresh()) continue;
      const begin = Date.now();
      say(`${step.does} …`);
      await step.work();
      say(`${step.name} done in ${((Date.now() - begin) / 1000).toFixed(1)} s`);
      done.push(step.name);
    }
  } finally {
    rmSync(at.tmp, { recursive: true, force: true });
    release();
  }
  return done;
}

/** @throws SetupError when this Node is too old. */
export function checkNode(version) {
  if (atLeast(version, NEEDS.node)) return;
  throw new SetupError(`Sluice needs Node ${NEEDS.node.join('.')} or newer, and this is ${version}.`);
}

/** As a command does it: sets up, or says in one message why not. Ctrl-C ends everything that was started. False when it failed. */
export async function ready(target) {
  let interrupted = false;
  const stop = (signal) => {
    interrupted = true;
    void endAll().then(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    await setup(target);
    return true;
  } catch (error) {
    // The end of the process is on its way, with its own exit code.
    if (interrupted) await new Promise(() => undefined);
    process.stderr.write(`set-up failed: ${error instanceof SetupError ? error.message : error.stack}\n`);
    return false;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

function tell(line) {
  process.stderr.write(`set-up: ${line}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { for: { type: 'string', default: 'test' } } });
  process.exitCode = (await ready(values.for)) ? 0 : 1;
}
