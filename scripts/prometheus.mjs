/** A Prometheus server for the suite of the metric `prometheus`. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { onPath, runs } from './programs.mjs';

/**
 * The path of a Prometheus: `SLUICE_PROMETHEUS`, or one on PATH, or Debian's package unpacked in `folder`, which starts no
 * service and needs no rights.
 * @throws Error that says what is missing and why it could not be had.
 */
export function findPrometheus(folder, env = process.env, { unpack = aptUnpack } = {}) {
  if (env.SLUICE_PROMETHEUS) {
    if (runs(env.SLUICE_PROMETHEUS)) return env.SLUICE_PROMETHEUS;
    throw new Error(`SLUICE_PROMETHEUS is ${env.SLUICE_PROMETHEUS}, which cannot be run.`);
  }
  const own = path.join(folder, 'usr', 'bin', 'prometheus');
  const found = onPath(['prometheus'], env) ?? (runs(own) ? own : null);
  if (found !== null) return found;
  const why = unpackWith(folder, env, unpack);
  if (why === null && runs(own)) return own;
  throw new Error(
    `Prometheus is missing: it is not on PATH, and its package was not unpacked because ${why ?? 'there is no prometheus in it'}. Install it (Debian: apt install prometheus), or set SLUICE_PROMETHEUS to its path.`,
  );
}

/** Null when it was unpacked, else why not. */
function unpackWith(folder, env, unpack) {
  if (onPath(['apt-get'], env) === null) return 'there is no apt-get';
  try {
    process.stderr.write('test:services: unpacks Prometheus (apt-get download) …\n');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    unpack(folder, env);
    return null;
  } catch (error) {
    return `apt-get failed: ${String(error.stderr ?? error.message).trim()}`;
  }
}

function aptUnpack(folder, env) {
  const quiet = { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' };
  try {
    execFileSync('apt-get', ['download', '-qq', 'prometheus'], quiet);
  } catch {
    // The lists may be missing or old; only root can renew them.
    execFileSync('apt-get', ['update', '-qq'], quiet);
    execFileSync('apt-get', ['download', '-qq', 'prometheus'], quiet);
  }
  const [deb] = readdirSync(folder).filter((name) => name.endsWith('.deb'));
  execFileSync('dpkg', ['-x', deb, '.'], quiet);
}
