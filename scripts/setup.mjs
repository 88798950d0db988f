#!/usr/bin/env node
/**
 * Sets everything up that the demo and the tests need, in the clone alone: dependencies, a virtual environment with the
 * Temporal CLI and the emulated cloud, the build. Needs Node, npm and Python with pip; uses node's own modules only.
 * A second run finds its stamps and does nothing.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const HOME = path.join(ROOT, '.sluice');
const VENV = path.join(HOME, 'venv');
/** Oldest versions that work. */
export const NEEDS = { node: [20, 19], python: [3, 10], temporal: [1, 5] };
const SOURCES = ['src', 'workflows', 'activities', 'emulators', 'test/chaos', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
/** Another set-up of this clone may be under way; it gets this long, in ms. */
const LOCK_DEADLINE = 15 * 60_000;

export class SetupError extends Error {}

/** Sets up what is missing. `say` gets one line per thing that is done; nothing when all is there. */
export async function setup(say = (line) => process.stderr.write(`${line}\n`)) {
  checkNode(process.versions.node);
  mkdirSync(HOME, { recursive: true });
  const jobs = [
    { name: 'npm', is: () => hash(['package-lock.json']), there: () => existsSync(path.join(ROOT, 'node_modules')), line: 'installing dependencies (npm ci)', work: installDependencies },
    { name: 'venv', is: () => hash(['requirements.txt']), there: () => existsSync(path.join(VENV, 'bin', 'ministack')), line: 'installing the Temporal CLI and the emulated cloud (pip)', work: installTools },
    { name: 'build', is: () => hash(SOURCES), there: () => existsSync(path.join(ROOT, 'dist', 'workflow-bundle.js')), line: 'building', work: build },
  ];
  if (jobs.every(isDone)) return 0;
  const release = await lock();
  let done = 0;
  try {
    for (const job of jobs) {
      if (isDone(job)) continue;
      say(`set-up: ${job.line}`);
      await job.work();
      writeFileSync(stamp(job), job.is());
      done += 1;
    }
  } finally {
    release();
  }
  return done;
}

function stamp(job) {
  return path.join(HOME, `setup-${job.name}.stamp`);
}

function isDone(job) {
  return job.there() && existsSync(stamp(job)) && readFileSync(stamp(job), 'utf8') === job.is();
}

/** Digest of files and of all below folders. */
function hash(places) {
  const digest = createHash('sha256');
  for (const place of places) addTo(digest, place);
  return digest.digest('hex');
}

function addTo(digest, place) {
  const full = path.join(ROOT, place);
  if (!existsSync(full)) return;
  if (statSync(full).isDirectory()) {
    for (const name of readdirSync(full).sort()) addTo(digest, path.join(place, name));
    return;
  }
  digest.update(`${place}\0`);
  digest.update(readFileSync(full));
}

export function checkNode(version) {
  if (!atLeast(version, NEEDS.node)) throw new SetupError(`Node ${version} is too old; Sluice needs ${NEEDS.node.join('.')} or newer`);
}

export function atLeast(version, [major, minor]) {
  const [a = 0, b = 0] = String(version).split('.').map(Number);
  return a > major || (a === major && b >= minor);
}

async function installDependencies() {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  await run(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { npm_config_cache: process.env.npm_config_cache ?? path.join(HOME, 'cache', 'npm') });
}

/** A Python that is new enough. */
export function findPython(candidates = [process.env.PYTHON, 'python3', 'python'].filter(Boolean)) {
  const tried = [];
  for (const command of candidates) {
    try {
      const version = execFileSync(command, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
      if (atLeast(version, NEEDS.python)) return command;
      tried.push(`${command} is ${version}`);
    } catch {
      tried.push(`${command} was not found`);
    }
  }
  throw new SetupError(`Python ${NEEDS.python.join('.')} or newer with pip is needed for the Temporal CLI and the emulated cloud (${tried.join('; ')}). Install it, or set PYTHON to its path`);
}

async function installTools() {
  const python = findPython();
  const env = { PIP_CACHE_DIR: process.env.PIP_CACHE_DIR ?? path.join(HOME, 'cache', 'pip'), PIP_DISABLE_PIP_VERSION_CHECK: '1' };
  const tried = [];
  rmSync(VENV, { recursive: true, force: true });
  for (const [command, ...args] of [
    [python, '-m', 'venv', VENV],
    [python, '-m', 'virtualenv', '-q', VENV],
  ]) {
    try {
      await run(command, args, env);
      await run(path.join(VENV, 'bin', 'python'), ['-m', 'pip', 'install', '-q', '-r', path.join(ROOT, 'requirements.txt')], env);
      return;
    } catch (error) {
      tried.push(`${command} ${args.slice(0, 2).join(' ')}: ${error.message}`);
      rmSync(VENV, { recursive: true, force: true });
    }
  }
  throw new SetupError(`the tools of requirements.txt could not be installed. Tried:\n  ${tried.join('\n  ')}\nInstall Python's venv module (Debian: apt install python3-venv) and see that pip reaches its index, then run \`npm run setup\` again`);
}

async function build() {
  rmSync(path.join(ROOT, 'dist'), { recursive: true, force: true });
  rmSync(path.join(HOME, 'tsc', 'build.tsbuildinfo'), { force: true });
  await run(process.execPath, [path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'], {});
  const { bundleWorkflowCode, DefaultLogger } = await import(pathToFileURL(path.join(ROOT, 'node_modules', '@temporalio', 'worker', 'lib', 'index.js')).href);
  const { code } = await bundleWorkflowCode({ workflowsPath: path.join(ROOT, 'dist', 'workflows', 'index.js'), logger: new DefaultLogger('WARN') });
  writeFileSync(path.join(ROOT, 'dist', 'workflow-bundle.js'), code);
}

/** Runs a program; its last words come with the error. Ends with this process. */
function run(command, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    const keep = (chunk) => {
      said = (said + chunk).slice(-4_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const end = () => child.kill('SIGTERM');
    process.once('exit', end);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      process.removeListener('exit', end);
      if (code === 0) resolve();
      else reject(new SetupError(`${path.basename(command)} ${args.slice(0, 3).join(' ')} ended with ${signal ?? code}:\n${said.trim()}`));
    });
  });
}

/** One set-up of a clone at a time. A lock whose owner is gone is taken over. */
async function lock() {
  const file = path.join(HOME, 'setup.lock');
  for (const end = Date.now() + LOCK_DEADLINE; ; await pause(200)) {
    try {
      const fd = openSync(file, 'wx');
      writeSync(fd, String(process.pid));
      closeSync(fd);
      const release = () => rmSync(file, { force: true });
      process.once('exit', release);
      return () => {
        process.removeListener('exit', release);
        release();
      };
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (!ownerLives(file)) rmSync(file, { force: true });
    if (Date.now() > end) throw new SetupError(`another set-up holds ${file}; wait for it, or remove the file if none is running`);
  }
}

function ownerLives(file) {
  try {
    process.kill(Number(readFileSync(file, 'utf8')), 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Runs the set-up and says what went wrong in one message. False when it did. */
export async function ready() {
  for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]]) process.once(signal, () => process.exit(code));
  try {
    await setup();
    return true;
  } catch (error) {
    process.stderr.write(`${error instanceof SetupError ? error.message : error.stack}\n`);
    return false;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = (await ready()) ? 0 : 1;
