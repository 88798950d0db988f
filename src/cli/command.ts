/** A command is data: its help, the docs and the parser come from it. */
import type { Diagnosis, Sluice } from '../client/types.js';
import type { Account } from '../model/ids.js';
import type { Given } from './given.js';

export interface Argument {
  /** `<file>` when it must be given, `[file]` when it may. */
  name: string;
  means: string;
}

export interface Option {
  /** As commander reads it: `--timeout <duration>`. */
  flags: string;
  means: string;
  /** The only values it takes. */
  choices?: readonly string[];
  /** May be given more than once. */
  many?: boolean;
}

export interface Command {
  name: string;
  /** One sentence. */
  does: string;
  /** More, for its own help. */
  more?: string;
  args: Argument[];
  options: Option[];
  examples: string[];
  /** Milliseconds it may take to end after Ctrl-C. */
  grace?: number;
  /** Answers the exit code. Errors are SluiceErrors. */
  handler(given: Given, ctx: Context): Promise<number>;
}

/** Where text goes. */
export interface Sink {
  /** False: enough for now, `drain` says when there is room again. */
  write(text: string): unknown;
  once?(event: 'drain', heard: () => void): unknown;
  isTTY?: boolean;
  columns?: number;
  rows?: number;
}

/** Everything outside that a command may touch. */
export interface Context {
  stdout: Sink;
  stderr: Sink;
  /** What is piped in, opened only when it is asked for. */
  stdin(): AsyncIterable<Uint8Array>;
  env: Record<string, string | undefined>;
  /** Where relative paths begin. */
  cwd: string;
  /** `-o json`. */
  json: boolean;
  /** Colour on stdout. */
  colour: boolean;
  now(): number;
  /** Ctrl-C. */
  signal: AbortSignal;
  /** A connected client; closed when the command ends. Errors: SLUICE_UNREACHABLE. */
  connect(): Promise<Sluice>;
  /** Whether a page that is opened would be seen. */
  hasScreen(): boolean;
  /** Opens a file or an address in the user's browser; rejects when there is none. */
  openPage(page: string): Promise<void>;
  /** The state of the server and its workers; an unreachable server is an answer. */
  diagnose(accounts: Account[]): Promise<Diagnosis>;
}

/** Identity that types a command where it is written. */
export function command(data: Command): Command {
  return data;
}
