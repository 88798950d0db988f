/** `sluice`: reads the command line, runs one command, ends with an exit code. */
import type { LoginHost } from '../client/index.js';
import type { Diagnosis, Sluice } from '../client/types.js';
import { SluiceError } from '../model/errors.js';
import type { Account } from '../model/ids.js';
import { hasScreen, openPage } from './browser.js';
import type { Command, CommandLine, Context, Sink } from './command.js';
import { EVERYWHERE, LOGIN } from './common.js';
import { describeError } from './error-report.js';
import { EXIT } from './exit-codes.js';
import { flagOf, readInputs } from './inputs.js';
import { wantsColour } from './print.js';
import { parse } from './program.js';
import { allCommands, COMMANDS } from './registry.js';
import { packageVersion } from './version.js';

/** Everything outside the program; tests bring their own. */
export interface Host {
  stdout: Sink;
  stderr: Sink;
  stdin(): AsyncIterable<Uint8Array>;
  env: Record<string, string | undefined>;
  cwd: string;
  signal: AbortSignal;
  now(): number;
  connect(env: Record<string, string | undefined>, login: LoginHost): Promise<Sluice>;
  diagnose(env: Record<string, string | undefined>, accounts: Account[]): Promise<Diagnosis>;
  hasScreen(env: Record<string, string | undefined>): boolean;
  openPage(file: string): Promise<void>;
}

/** Milliseconds a command may take to end after Ctrl-C, by default. */
const GRACE = 2_000;

/** Runs one command line in this process. Never throws; resolves with the exit code. */
export async function run(argv: string[], host: Host): Promise<number> {
  if (argv[0] === '--version' || argv[0] === '-V') {
    host.stdout.write(`${packageVersion()}\n`);
    return EXIT.succeeded.code;
  }
  const json = asksForJson(argv);
  try {
    const parsed = await parse(argv, await commandsFor(argv), {
      stdout: host.stdout,
      version: packageVersion(),
      width: host.stdout.columns ?? 100,
    });
    if (!('command' in parsed)) {
      if (parsed.message !== null) throw new SluiceError('SLUICE_USAGE', parsed.message);
      return parsed.exit;
    }
    return await perform(parsed.command, parsed, host);
  } catch (error) {
    return printError(error, json, host);
  }
}

/** Only the command to run is loaded; help needs all of them. */
async function commandsFor(argv: string[]): Promise<Command[]> {
  const word = argv[0] ?? '';
  const load = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : undefined;
  return load === undefined ? allCommands() : [await load()];
}

async function perform(command: Command, line: CommandLine, host: Host): Promise<number> {
  // A command without --login is one without that word.
  const common = readInputs({ ...EVERYWHERE, login: LOGIN }, line.options, host.env, flagOf);
  const clients: Promise<Sluice>[] = [];
  const ctx: Context = {
    stdout: host.stdout,
    stderr: host.stderr,
    stdin: host.stdin,
    env: host.env,
    cwd: host.cwd,
    json: common.output === 'json',
    colour: wantsColour(host.stdout, host.env, common.noColor),
    now: host.now,
    signal: host.signal,
    connect: () => {
      const client = host.connect(host.env, loginHost(host, common.login));
      clients.push(client);
      return client;
    },
    diagnose: (accounts) => host.diagnose(host.env, accounts),
    hasScreen: () => host.hasScreen(host.env),
    openPage: (file) => host.openPage(file),
  };
  try {
    return await orInterrupted(command.run(line, ctx), host, command.grace ?? GRACE);
  } finally {
    await Promise.all(clients.map((client) => client.then((c) => c.close()).catch(() => undefined)));
  }
}

/** When to log in: `--login`, else SLUICE_LOGIN (1, or the issuer), else when needed and a person is at the terminal. */
function loginHost({ env, stderr, signal, hasScreen, openPage }: Host, asked: boolean): LoginHost {
  const setting = env.SLUICE_LOGIN ?? '';
  const unset = stderr.isTTY === true ? 'needed' : 'never';
  return {
    when: asked ? 'always' : setting === '' ? unset : setting === '0' ? 'never' : 'keyless',
    issuer: setting.includes('://') ? setting : null,
    open: (url) => (hasScreen(env) ? openPage(url) : Promise.reject(new Error('there is no screen'))),
    say: (text) => stderr.write(`${text}\n`),
    signal,
  };
}

/** A command that does not react to Ctrl-C is abandoned after its grace. */
async function orInterrupted(work: Promise<number>, host: Host, grace: number): Promise<number> {
  let timer: NodeJS.Timeout | undefined;
  const interrupted = new Promise<number>((resolve) => {
    const begin = () => {
      timer = setTimeout(() => resolve(EXIT.interrupted.code), grace);
    };
    if (host.signal.aborted) begin();
    else host.signal.addEventListener('abort', begin, { once: true });
  });
  try {
    return await Promise.race([work, interrupted]);
  } finally {
    clearTimeout(timer);
  }
}

/** A line for people, an object for programs. */
function printError(error: unknown, json: boolean, host: Host): number {
  const { code, message, exit, line, defect } = describeError(error);
  if (json) host.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
  else host.stderr.write(line);
  if (defect && host.env.SLUICE_DEBUG !== undefined && error instanceof Error) host.stderr.write(`${error.stack}\n`);
  return exit;
}

function asksForJson(argv: string[]): boolean {
  return argv.some((word, at) => {
    if (word === '--output=json' || word === '-ojson' || word === '-o=json') return true;
    return word === 'json' && (argv[at - 1] === '-o' || argv[at - 1] === '--output');
  });
}

/** As a program: this process's streams, Ctrl-C, and its end. */
export async function main(argv: string[]): Promise<void> {
  const interrupt = new AbortController();
  const onSignal = () => {
    if (interrupt.signal.aborted) process.exit(EXIT.interrupted.code);
    interrupt.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  // `sluice list | head`: the reader has what it needs.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.succeeded.code);
    throw error;
  });
  const code = await run(argv, {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: () => process.stdin,
    env: process.env,
    cwd: process.cwd(),
    signal: interrupt.signal,
    now: () => Date.now(),
    connect: async (env, login) => (await import('../client/index.js')).connect({ env, login }),
    diagnose: async (env, accounts) => (await import('../client/index.js')).diagnoseFrom({ env }, accounts),
    hasScreen,
    openPage,
  });
  // Flush what was written, then end whatever else is still open.
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
}
