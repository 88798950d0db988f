/** A Chromium for the suites that look at pages. */
import { execFileSync } from 'node:child_process';
import { onPath, runs } from './programs.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/**
 * The path of a Chromium: `SLUICE_CHROMIUM`, or one on PATH, or Debian's package installed now, where this user may.
 * @throws Error that says what is missing and why it could not be installed.
 */
export function findChromium(env = process.env, { isRoot = process.getuid?.() === 0, install = aptInstall } = {}) {
  if (env.SLUICE_CHROMIUM) {
    if (runs(env.SLUICE_CHROMIUM)) return env.SLUICE_CHROMIUM;
    throw new Error(`SLUICE_CHROMIUM is ${env.SLUICE_CHROMIUM}, which cannot be run.`);
  }
  const found = onPath(NAMES, env);
  if (found !== null) return found;
  const why = installWith(env, isRoot, install);
  const installed = why === null ? onPath(NAMES, env) : null;
  if (installed !== null) return installed;
  throw new Error(
    `Chromium is missing: none of ${NAMES.join(', ')} is on PATH, and it was not installed because ${why ?? 'the package brought none of them'}. Install it (Debian: apt install chromium), or set SLUICE_CHROMIUM to its path.`,
  );
}

/** Null when it was installed, else why not. */
function installWith(env, isRoot, install) {
  if (onPath(['apt-get'], env) === null) return 'there is no apt-get';
  if (!isRoot) return 'only root may install packages';
  try {
    process.stderr.write('test:services: installs Chromium (apt-get) …\n');
    install(env);
    return null;
  } catch (error) {
    return `apt-get failed: ${String(error.stderr ?? error.message).trim()}`;
  }
}

function aptInstall(env) {
  const quiet = {
    env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  };
  execFileSync('apt-get', ['update', '-qq'], quiet);
  execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], quiet);
}
