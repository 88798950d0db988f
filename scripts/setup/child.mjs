/** The programs the set-up runs: quiet, logged to a file, and ended with it. */
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import path from 'node:path';
import { SetupError } from './error.mjs';

/** Characters of a program's last words that an error repeats. */
const LAST_WORDS = 3_000;
/** How long a program that was told to end may take, in ms. */
const GRACE = 5_000;

const running = new Set();
let ending = false;

/** Whether everything is being ended: then a failure is no reason to try another way. */
export function isEnding() {
  return ending;
}

/**
 * Runs a program in a process group of its own, so that what it starts ends with it.
 * What it prints goes to logs/NAME.log of its home. Answers its standard output.
 * @throws SetupError with its last words when it cannot be started or ends other than with 0.
 */
export function run(at, name, command, args, env = {}) {
  if (ending) return Promise.reject(new SetupError('it was interrupted'));
  mkdirSync(at.logs, { recursive: true });
  mkdirSync(at.tmp, { recursive: true });
  const logFile = path.join(at.logs, `${name}.log`);
  const said = `${path.basename(command)} ${args.join(' ')}`.replaceAll(`${at.root}`, '');
  return new Promise((resolve, reject) => {
    const log = createWriteStream(logFile, { flags: 'a' });
    log.write(`$ ${said}\n`);
    const child = spawn(command, args, {
      cwd: at.root,
      // Temporary files and compile caches stay in the clone too.
      env: { ...process.env, TMPDIR: at.tmp, NODE_DISABLE_COMPILE_CACHE: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    running.add(child);
    let out = '';
    let last = '';
    const keep = (chunk) => {
      last = (last + chunk).slice(-LAST_WORDS);
      log.write(chunk);
    };
    child.stdout.on('data', (chunk) => {
      out += chunk;
      keep(chunk);
    });
    child.stderr.on('data', keep);
    const end = (error) => {
      running.delete(child);
      log.end();
      if (error === null) resolve(out);
      else reject(error);
    };
    child.once('error', (error) => end(new SetupError(`\`${said}\` could not be started: ${error.message}`)));
    child.once('close', (code, signal) =>
      end(
        code === 0
          ? null
          : new SetupError(
              `\`${said}\` ended with ${signal ?? code} (log: ${logFile.startsWith(at.root) ? path.relative(at.root, logFile) : logFile})\n${indent(last)}`,
            ),
      ),
    );
  });
}

/** Ends every program that still runs, with all it started, and lets none start any more. */
export async function endAll() {
  ending = true;
  const gone = [...running].map((child) => {
    const closed = new Promise((resolve) => child.once('close', resolve));
    signal(child, 'SIGTERM');
    const late = setTimeout(() => signal(child, 'SIGKILL'), GRACE);
    return closed.finally(() => clearTimeout(late));
  });
  await Promise.all(gone);
}

function signal(child, name) {
  try {
    process.kill(-child.pid, name);
  } catch {
    // It has ended meanwhile.
  }
}

function indent(text) {
  return text
    .trim()
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}
