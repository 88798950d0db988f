/** A command is data: its help, the docs and the parser all come from it. */
import type { Diagnosis, Sluice } from '../client/types.js';
import type { Account } from '../model/ids.js';
import { type Arguments, flagOf, type Options, type RawValue, readInputs, type Values } from './inputs.js';

interface About {
  name: string;
  /** One line for the list of commands. */
  summary: string;
  /** More, for its own help. */
  description?: string;
  examples: string[];
  /** Milliseconds it may take to end after Ctrl-C. */
  grace?: number;
}

/** How a command is written: the values its handler gets follow from its arguments and options. */
export interface Definition<A extends Arguments, O extends Options> extends About {
  args: A;
  options: O;
  /** Resolves with the exit code. Errors are SluiceErrors. */
  handler(input: { args: Values<A>; options: Values<O> }, ctx: Context): Promise<number>;
}

/** The words of a command line, by the names of arguments and options. */
export interface CommandLine {
  args: Record<string, RawValue>;
  options: Record<string, RawValue>;
}

/** Any command, whatever it takes. */
export interface Command extends About {
  args: Arguments;
  options: Options;
  /** Resolves with the exit code. Errors are SluiceErrors; SLUICE_USAGE for a value that cannot be read. */
  run(line: CommandLine, ctx: Context): Promise<number>;
}

export function command<A extends Arguments, O extends Options>(definition: Definition<A, O>): Command {
  const { handler, ...about } = definition;
  return {
    ...about,
    run: async (line, ctx) => {
      const args = readInputs(definition.args, line.args, ctx.env);
      const options = readInputs(definition.options, line.options, ctx.env, flagOf);
      return handler({ args, options }, ctx);
    },
  };
}

/** Where text goes. */
export interface Sink {
  /** False: enough for now, `drain` says when there is room again. */
  write(text: string): unknown;
  once?(event: 'drain', listener: () => void): unknown;
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
  /** Opens a file or an address in the user's browser; rejects if there is none. */
  openPage(page: string): Promise<void>;
  /** The state of the server and its workers; an unreachable server is an answer. */
  diagnose(accounts: Account[]): Promise<Diagnosis>;
}
