/** Starts and stops the programs that an emulated cloud or a test needs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, type WriteStream, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { SluiceError } from '../src/model/errors.js';
import { register, unregister } from './registry.js';
import { home } from './tools.js';

/** How many of a process's last lines are kept for an error message. */
const KEPT_LINES = 40;
/** Lines that say why a program has ended. Much may follow them: a Go program prints its stack after a panic. */
const REASON = /^(?:panic|fatal error|error): |address already in use|EADDRINUSE/i;
/** How many of these are kept. */
const KEPT_REASONS = 5;
/** Another program has taken a port between the look for a free one and the start. */
const TAKEN = /address already in use|EADDRINUSE/i;
/** How often a program that has lost a port in this way is started. */
const STARTS = 3;
/** How long the last lines of a program that has ended may take to arrive, in ms. */
const LAST_LINES = 2_000;
/** Milliseconds between two looks at a process that is starting. */
const LOOK_EVERY = 25;

export interface StartOptions {
  /** What error messages call it. */
  name: string;
  command: string;
  args: string[];
  /** Folder it starts in; this process's own unless given. */
  cwd?: string;
  /** It gets `env` and no more: nothing of this process's environment. */
  bare?: boolean;
  /** Added to this process's own environment. TMPDIR is set to a private folder that goes away with the process. */
  env?: Record<string, string>;
  /** The ports of 127.0.0.1 that it shall listen on. Whoever listens there before is a stranger, and would be taken for it. */
  ports?: number[];
  /** Whether it can be used. A rejection counts as "not yet". */
  ready: () => Promise<boolean>;
  /** Milliseconds it may take to become ready. */
  within?: number;
  /** Milliseconds between SIGTERM and SIGKILL. */
  grace?: number;
  /** File that gets all it prints. */
  logFile?: string;
  /** Each line in the file begins with its time, as a container's log has it. */
  stamped?: boolean;
}

/** A port was free a moment ago, and another program has it now. */
class PortTaken extends SluiceError {}

/** Starts something on ports that are free, and anew where another program was faster. Errors: those of the last start. */
export async function onFreePorts<T>(start: () => Promise<T>): Promise<T> {
  for (let left = STARTS - 1; ; left -= 1) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof PortTaken) || left === 0) throw error;
    }
  }
}

/** A program of ours, in a process group of its own. */
export interface Running {
  readonly pid: number;
  /** The last lines it printed, oldest first. */
  lastLines(): string[];
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  /** Ends it and all it started: SIGTERM, SIGKILL after the grace. Its temporary folder goes too. May be called twice. */
  stop(): Promise<void>;
  /** SIGKILL at once, as a crash would. */
  kill9(): Promise<void>;
}

/**
 * Starts a program and waits until it is ready. However this process ends, SIGKILL included, the program ends with it.
 * @throws SluiceError SLUICE_SETUP when one of its ports is taken, and when it ends or is not ready in time; then the message has
 * its last lines, and those that say why.
 */
export async function startProcess(options: StartOptions): Promise<Running> {
  for (const port of options.ports ?? []) {
    if (await isFree(port)) continue;
    throw new PortTaken(
      'SLUICE_SETUP',
      `port ${port} of 127.0.0.1 is taken by another program, so ${options.name} cannot use it; end that program, or choose another port`,
    );
  }
  const temp = privateTemp(options.name);
  const child = spawn(options.command, options.args, {
    detached: true,
    env: { ...(options.bare === true ? {} : process.env), ...options.env, TMPDIR: temp },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { lines, reasons } = keepLines(child, options.logFile, options.stamped === true);
  let failure: string | null = null;
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      failure = error.message;
      resolve();
    });
    child.once('exit', (code, signal) => {
      failure = `ended with ${signal ?? `code ${code}`}`;
      resolve();
    });
  });
  // What it printed last may come after its end.
  const printedAll = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const pid = child.pid;
  if (pid === undefined) {
    await ended;
    rmSync(temp, { recursive: true, force: true });
    throw new SluiceError('SLUICE_SETUP', `${options.name} could not be started: ${failure}`);
  }
  const running = control(pid, temp, ended, options.grace ?? 5_000, lines);
  const deadline = Date.now() + (options.within ?? 30_000);
  for (;;) {
    const ready = await options.ready().catch(() => false);
    // Whatever answers there, it is not this program once this one has ended.
    if (failure === null && ready) return running;
    if (failure === null && Date.now() < deadline) {
      await pause(LOOK_EVERY);
      continue;
    }
    const why = failure ?? `was not ready within ${options.within ?? 30_000} ms`;
    await running.stop();
    await Promise.race([printedAll, pause(LAST_LINES)]);
    const printed = lines();
    const cut = reasons().filter((line) => !printed.includes(line));
    const text = [`${options.name} ${why}`, ...cut, ...printed].join('\n  ');
    throw reasons().some((line) => TAKEN.test(line))
      ? new PortTaken('SLUICE_SETUP', text)
      : new SluiceError('SLUICE_SETUP', text);
  }
}

/** A folder of the process's own, inside the project: nothing is written elsewhere. */
function privateTemp(name: string): string {
  const folder = join(home(), 'tmp');
  mkdirSync(folder, { recursive: true });
  const temp = mkdtempSync(join(folder, `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}-`));
  // Code unpacked here must not take the project's module type for its own.
  writeFileSync(join(temp, 'package.json'), '{}\n');
  return temp;
}

function control(pid: number, temp: string, ended: Promise<void>, grace: number, lines: () => string[]): Running {
  const guard = spawnGuard(pid, temp);
  const clear = (): void => {
    signalGroup(pid, 'SIGKILL');
    rmSync(temp, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
  };
  let stopping: Promise<void> | null = null;
  const stop = async (first: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    signalGroup(pid, first);
    const timer = new AbortController();
    await Promise.race([ended, pause(grace, undefined, { signal: timer.signal }).catch(() => undefined)]);
    timer.abort();
    // The leader has ended or has had its time; what it started has had the same signal.
    signalGroup(pid, 'SIGKILL');
    await ended;
    await groupGone(pid);
    clear();
    unregister(entry);
    guard.kill('SIGKILL');
  };
  const running: Running = {
    pid,
    lastLines: lines,
    ended,
    stop: () => (stopping ??= stop('SIGTERM')),
    kill9: () => (stopping ??= stop('SIGKILL')),
  };
  const entry = { stop: running.stop, killNow: clear };
  register(entry);
  // One that ends by itself leaves nothing behind either.
  void ended.then(running.stop);
  return running;
}

/**
 * A shell that reads a pipe whose other end only this process holds: when this process is gone, however it went, the
 * read ends, and the shell kills the group and removes the temporary folder.
 */
function spawnGuard(pid: number, temp: string): ChildProcess {
  const script = 'read -r _; kill -KILL "-$1" 2>/dev/null; rm -rf -- "$2"';
  const guard = spawn('/bin/sh', ['-c', script, 'sluice-guard', String(pid), temp], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.on('error', () => undefined);
  guard.unref();
  (guard.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  return guard;
}

function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}

/**
 * Grandchildren need a moment to be gone after SIGKILL. Dead ones that nobody collects (a container without an init)
 * count as there, so this is no condition to insist on.
 */
async function groupGone(pid: number): Promise<void> {
  const deadline = Date.now() + 100;
  while (signalGroup(pid, 0) && Date.now() < deadline) await pause(5);
}

/** The last lines that a program prints, and the last ones that say why it ends. */
function keepLines(
  child: ChildProcess,
  logFile: string | undefined,
  stamped: boolean,
): { lines: () => string[]; reasons: () => string[] } {
  const kept: string[] = [];
  const reasons: string[] = [];
  const file: WriteStream | null = logFile === undefined ? null : createWriteStream(logFile, { flags: 'a' });
  file?.on('error', () => undefined);
  child.once('close', () => file?.end());
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.setEncoding('utf8');
    stream?.on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      if (!stamped) file?.write(text);
      else for (const line of parts) file?.write(`${new Date().toISOString()} ${line}\n`);
      kept.push(...parts);
      kept.splice(0, kept.length - KEPT_LINES);
      reasons.push(...parts.filter((line) => REASON.test(line)));
      reasons.splice(0, reasons.length - KEPT_REASONS);
    });
  }
  return { lines: () => [...kept], reasons: () => [...reasons] };
}

/** A port of 127.0.0.1 that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Whether a program may listen on a port of 127.0.0.1 now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

/** Whether something accepts connections on a port of 127.0.0.1. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Whether an HTTP GET is answered with 200: another program on the port has no such page. */
export async function serves(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  await response.arrayBuffer();
  return response.status === 200;
}

/** Whether an HTTP GET is answered with a status below 500. */
export async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  await response.arrayBuffer();
  return response.status < 500;
}
