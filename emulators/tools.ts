/** Finds the programs that the set-up installs. */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SluiceError } from '../src/model/errors.js';

/** The programs that the set-up brings. */
export type Tool = 'python' | 'ministack' | 'microburst' | 'temporal' | 'temporal-test-server';

/** Oldest Temporal CLI taken from outside: the dev server's flags and priorities are those this project was run with. */
const OLDEST_TEMPORAL = [1, 5, 0] as const;

/** The folder of the project's package.json, found by walking up; the same from the sources and from dist/. */
export function projectRoot(from = dirname(fileURLToPath(import.meta.url))): string {
  if (existsSync(join(from, 'package.json'))) return from;
  const parent = dirname(from);
  if (parent === from) throw new SluiceError('SLUICE_SETUP', 'No package.json above this file: where is the project?');
  return projectRoot(parent);
}

/**
 * Where the set-up puts tools, logs and temporary files: `.sluice` of a clone; of an installed package, which may be
 * read-only, a folder of the user's cache. `scripts/setup/places.mjs` says the same.
 */
export function home(env: NodeJS.ProcessEnv = process.env, root = projectRoot()): string {
  if (existsSync(join(root, 'tsconfig.json'))) return join(root, '.sluice');
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'sluice', version);
}

/** Whether the version that `temporal --version` printed is new enough. */
export function newEnough(printed: string): boolean {
  const found = /(\d+)\.(\d+)\.(\d+)/.exec(printed)?.slice(1).map(Number);
  if (found === undefined) return false;
  const at = OLDEST_TEMPORAL.findIndex((least, i) => found[i] !== least);
  return at === -1 || (found[at] ?? 0) > (OLDEST_TEMPORAL[at] ?? 0);
}

/**
 * The path of a program. For `temporal`, `TEMPORAL_CLI` and then PATH go first when new enough; everything else is in
 * Sluice's own virtual environment.
 * @throws SluiceError SLUICE_SETUP when it is nowhere.
 */
export function toolPath(tool: Tool, env: NodeJS.ProcessEnv = process.env): string {
  const own = join(home(env), 'venv', 'bin', tool);
  const outside = tool === 'temporal' ? [env.TEMPORAL_CLI, onPath(tool, env)] : [];
  const found = outside.find((path) => path !== undefined && path !== '' && isRecentTemporal(path));
  if (found !== undefined) return found;
  if (runs(own)) return own;
  const tried = [...outside.filter((path) => path !== undefined && path !== ''), own].join(', ');
  throw new SluiceError(
    'SLUICE_SETUP',
    `${tool} is not installed (tried ${tried}). Run \`npm run setup\` in a clone, or \`sluice up\` in your project, which installs it.`,
  );
}

/** Whether `toolPath` finds it. */
export function hasTool(tool: Tool, env: NodeJS.ProcessEnv = process.env): boolean {
  try {
    toolPath(tool, env);
    return true;
  } catch {
    return false;
  }
}

function onPath(tool: string, env: NodeJS.ProcessEnv): string | undefined {
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, tool)).find(runs);
}

function runs(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isRecentTemporal(path: string): boolean {
  try {
    return newEnough(execFileSync(path, ['--version'], { encoding: 'utf8', timeout: 10_000 }));
  } catch {
    return false;
  }
}
