/** A Temporal server of its own, built from its source: the dev server of Temporal's CLI knows neither TLS nor an authorizer. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { onPath, runs } from './programs.mjs';

const VERSION = 'v1.32.2';
const SERVER = `go.temporal.io/server/cmd/server@${VERSION}`;
/** What that version asks for; an older Go fetches it by itself. */
const TOOLCHAIN = 'go1.26.10';

/**
 * The path of a Temporal server: `SLUICE_TEMPORAL_SERVER`, or one built into `folder` by Go, which takes minutes the first time.
 * @throws Error that says what is missing and why it could not be had.
 */
export function findTemporalServer(folder, env = process.env, { build = goInstall } = {}) {
  if (env.SLUICE_TEMPORAL_SERVER) {
    if (runs(env.SLUICE_TEMPORAL_SERVER)) return env.SLUICE_TEMPORAL_SERVER;
    throw new Error(`SLUICE_TEMPORAL_SERVER is ${env.SLUICE_TEMPORAL_SERVER}, which cannot be run.`);
  }
  // Another version is built anew.
  const place = path.join(folder, VERSION);
  const own = path.join(place, 'server');
  if (runs(own)) return own;
  const why = buildWith(place, env, build);
  if (why === null && runs(own)) return own;
  throw new Error(
    `A Temporal server is missing, and it was not built because ${why ?? 'go left no program'}. Install Go 1.21 or newer, or set SLUICE_TEMPORAL_SERVER to the path of a server.`,
  );
}

/** Null when it was built, else why not. */
function buildWith(folder, env, build) {
  if (onPath(['go'], env) === null) return 'there is no go on PATH';
  try {
    process.stderr.write(`test:tls: builds ${SERVER} (go install), which takes minutes the first time …\n`);
    mkdirSync(folder, { recursive: true });
    build(folder, env);
    return null;
  } catch (error) {
    return `go install failed: ${String(error.stderr ?? error.message).trim()}`;
  }
}

function goInstall(folder, env) {
  execFileSync('go', ['install', SERVER], {
    env: { ...env, GOBIN: folder, GOTOOLCHAIN: TOOLCHAIN },
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
}
