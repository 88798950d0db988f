/**
 * The arguments and options of a command. Each is declared once; its help, its place in the parser and the type of its value all
 * follow from that. A handler gets values, so a misspelt name or a wrong type does not compile.
 */
import { userInfo } from 'node:os';
import type { AppEnvironment } from '../client/types.js';
import { isName } from '../model/ids.js';
import { clean } from '../model/text.js';
import { DURATION, parseDuration } from '../spec/units.js';
import { usageError } from './usage-error.js';

/** As the parser of the command line leaves it. */
export type RawValue = string | string[] | boolean | undefined;

interface Source {
  /** As the user wrote it: `--timeout`, `target`. */
  name: string;
  env: Record<string, string | undefined>;
}

interface Input<T> {
  help: string;
  /** Errors: SLUICE_USAGE. */
  read(raw: RawValue, source: Source): T;
}

export interface Argument<T = unknown> extends Input<T> {
  required: boolean;
}

export interface Option<T = unknown> extends Input<T> {
  /** `w` for `-w`. */
  short: string | null;
  /** Placeholder of the value in the help, `<duration>`. Null: it is a flag. */
  value: string | null;
  /** The only values it takes. */
  choices: readonly string[] | null;
  /** May be given more than once. */
  repeats: boolean;
}

/** In the order they are given in. */
export type Arguments = Record<string, Argument>;
/** By the name the handler reads: `onNewRelease` is `--on-new-release`. */
export type Options = Record<string, Option>;

/** What a handler gets for these declarations. */
export type Values<Inputs extends Record<string, Input<unknown>>> = {
  [Name in keyof Inputs]: ReturnType<Inputs[Name]['read']>;
};

/** The one place where names and types are joined. Errors: SLUICE_USAGE. */
export function readInputs<Inputs extends Record<string, Input<unknown>>>(
  inputs: Inputs,
  raw: Record<string, RawValue>,
  env: Source['env'],
  nameOf: (name: string) => string = (name) => name,
): Values<Inputs> {
  const read = Object.entries(inputs).map(([name, input]) => [
    name,
    input.read(raw[name], { name: nameOf(name), env }),
  ]);
  return Object.fromEntries(read) as Values<Inputs>;
}

/** `onNewRelease` as it is typed: `--on-new-release`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function option<T>(
  of: Pick<Option<T>, 'help' | 'read'> & Partial<Pick<Option<T>, 'value' | 'choices' | 'repeats'>>,
  short?: string,
): Option<T> {
  return { value: null, choices: null, repeats: false, ...of, short: short ?? null };
}

function textOf(raw: RawValue): string | undefined {
  return typeof raw === 'string' ? raw : undefined;
}

export function flag(help: string, short?: string): Option<boolean> {
  return option({ help, read: (raw) => raw === true }, short);
}

export function text(value: string, help: string, short?: string): Option<string | undefined> {
  return option({ value, help, read: textOf }, short);
}

/** May be given more than once. */
export function list(value: string, help: string): Option<string[]> {
  return option({ value, help, repeats: true, read: (raw) => (Array.isArray(raw) ? raw : []) });
}

export function choice<const Choices extends readonly string[]>(
  value: string,
  choices: Choices,
  help: string,
  short?: string,
): Option<Choices[number] | undefined> {
  return option({ value, help, choices, read: (raw) => choices.find((each) => each === raw) }, short);
}

/** Milliseconds of `90s`, `5m`, `1h30m`. */
export function duration(help: string): Option<number | undefined> {
  return option({
    value: 'duration',
    help,
    read: (raw, { name }) => {
      const written = textOf(raw);
      if (written === undefined) return undefined;
      if (DURATION.test(written)) return parseDuration(written);
      throw usageError(`${name} is "${clean(written, 40)}"; write a duration such as 90s, 5m or 1h30m`);
    },
  });
}

/** A whole number from 0 to 65535. */
export function port(help: string): Option<number | undefined> {
  return option({
    value: 'port',
    help,
    read: (raw, { name }) => {
      const written = textOf(raw);
      if (written === undefined) return undefined;
      if (/^\d+$/.test(written) && Number(written) <= 65_535) return Number(written);
      throw usageError(`${name} is "${clean(written, 40)}"; write a port from 0 to 65535`);
    },
  });
}

/** A person's name: as given, else SLUICE_BY, else the operating system's user. */
export function person(help: string): Option<string> {
  return option({
    value: 'name',
    help,
    read: (raw, { env }) => {
      const name = textOf(raw) ?? env.SLUICE_BY;
      if (name !== undefined && name.trim() !== '') return name;
      try {
        return userInfo().username;
      } catch {
        return env.USER ?? 'someone';
      }
    },
  });
}

/** The parser has made sure that it is there. */
export function argument(help: string): Argument<string> {
  return { help, required: true, read: (raw) => textOf(raw) ?? '' };
}

/** `checkout/production`. */
export function target(help: string): Argument<AppEnvironment> {
  return {
    help,
    required: true,
    read: (raw) => {
      const written = textOf(raw) ?? '';
      const [app, environment, ...rest] = written.split('/');
      if (rest.length > 0 || !isName(app) || !isName(environment)) {
        throw usageError(
          `"${clean(written, 100)}" is not a target; write APP/ENVIRONMENT, such as checkout/production`,
        );
      }
      return { app, environment };
    },
  };
}

export function optional<T>({ help, read }: Argument<T>): Argument<T | undefined> {
  return { help, required: false, read: (raw, source) => (raw === undefined ? undefined : read(raw, source)) };
}
