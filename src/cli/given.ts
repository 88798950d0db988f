/** What was given on the command line, read with its units. */
import { userInfo } from 'node:os';
import { SluiceError } from '../model/errors.js';
import { isName } from '../model/ids.js';
import { clean } from '../model/text.js';
import { DURATION, parseDuration } from '../spec/units.js';

type Values = Record<string, unknown>;

export class Given {
  constructor(
    private readonly args: Record<string, string | undefined>,
    private readonly options: Values,
    private readonly env: Record<string, string | undefined>,
  ) {}

  /** An argument that must be there; the parser has made sure of it. */
  arg(name: string): string {
    return this.args[name] ?? '';
  }

  maybe(name: string): string | undefined {
    return this.args[name];
  }

  text(option: string): string | undefined {
    const value = this.options[option];
    return typeof value === 'string' ? value : undefined;
  }

  texts(option: string): string[] {
    const value = this.options[option];
    return Array.isArray(value) ? value.map(String) : [];
  }

  flag(option: string): boolean {
    return this.options[option] === true;
  }

  /** Milliseconds of `90s`, `5m`, `1h30m`. Errors: SLUICE_USAGE. */
  duration(option: string): number | undefined {
    const text = this.text(option);
    if (text === undefined) return undefined;
    if (!DURATION.test(text))
      throw usage(`--${option} is "${clean(text, 40)}"; write a duration such as 90s, 5m or 1h30m`);
    return parseDuration(text);
  }

  /** A whole number from 0 to 65535. Errors: SLUICE_USAGE. */
  port(option: string): number | undefined {
    const text = this.text(option);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!/^\d+$/.test(text) || value > 65_535) throw usage(`"${clean(text, 40)}" is no port; write 0 to 65535`);
    return value;
  }

  /** `checkout/production`. Errors: SLUICE_USAGE. */
  target(): { app: string; environment: string } {
    const text = this.arg('target');
    const [app, environment, ...rest] = text.split('/');
    if (rest.length > 0 || !isName(app) || !isName(environment)) {
      throw usage(`"${clean(text, 100)}" names no target; write APP/ENVIRONMENT, such as checkout/production`);
    }
    return { app, environment };
  }

  /** Who says it: `--by`, SLUICE_BY, or the name of the operating system's user. */
  by(): string {
    const said = this.text('by') ?? this.env.SLUICE_BY;
    if (said !== undefined && said.trim() !== '') return said;
    try {
      return userInfo().username;
    } catch {
      return this.env.USER ?? 'somebody';
    }
  }
}

export function usage(message: string): SluiceError {
  return new SluiceError('SLUICE_USAGE', message);
}
