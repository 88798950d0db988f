/** Reads a case of a vector file. What is missing or wrong is named by its field, as `ticks[3].ec`. */

/** A case cannot be read. */
export class BadField extends Error {
  constructor(field: string, message: string) {
    super(`${field}: ${message}`);
  }
}

interface Range {
  least?: number;
  most?: number;
  /** The least value itself is not one of them. */
  above?: number;
}

export class Reader {
  constructor(
    private readonly value: Record<string, unknown>,
    private readonly at = '',
  ) {}

  static of(value: unknown, at = ''): Reader {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new BadField(at === '' ? 'the case' : at, `expected an object, got ${shown(value)}`);
    }
    return new Reader(value as Record<string, unknown>, at);
  }

  has(name: string): boolean {
    return this.value[name] !== undefined;
  }

  keys(): string[] {
    return Object.keys(this.value);
  }

  raw(name: string): unknown {
    return this.value[name];
  }

  path(name: string): string {
    return this.at === '' ? name : `${this.at}.${name}`;
  }

  text(name: string): string {
    const value = this.value[name];
    if (typeof value !== 'string') throw new BadField(this.path(name), `expected a text, got ${shown(value)}`);
    return value;
  }

  number(name: string, range: Range = {}): number {
    return numberAt(this.value[name], this.path(name), range);
  }

  flag(name: string): boolean {
    const value = this.value[name] ?? false;
    if (typeof value !== 'boolean') throw new BadField(this.path(name), `expected true or false, got ${shown(value)}`);
    return value;
  }

  object(name: string): Reader {
    return Reader.of(this.value[name], this.path(name));
  }

  list(name: string): unknown[] {
    return listAt(this.value[name], this.path(name));
  }

  numbers(name: string, range: Range = {}): number[] {
    return numbersAt(this.value[name], this.path(name), range);
  }

  objects(name: string): Reader[] {
    return this.list(name).map((value, i) => Reader.of(value, `${this.path(name)}[${i}]`));
  }
}

export function listAt(value: unknown, at: string): unknown[] {
  if (!Array.isArray(value)) throw new BadField(at, `expected a list, got ${shown(value)}`);
  return value;
}

export function numbersAt(value: unknown, at: string, range: Range = {}): number[] {
  return listAt(value, at).map((each, i) => numberAt(each, `${at}[${i}]`, range));
}

function numberAt(value: unknown, at: string, { least, most, above }: Range): number {
  const fits =
    typeof value === 'number' &&
    Number.isFinite(value) &&
    value >= (least ?? -Infinity) &&
    value <= (most ?? Infinity) &&
    value > (above ?? -Infinity);
  if (fits) return value;
  const limits = [
    above === undefined ? '' : ` above ${above}`,
    least === undefined ? '' : ` of ${least} or more`,
    most === undefined ? '' : ` up to ${most}`,
  ];
  throw new BadField(at, `expected a number${limits.join('')}, got ${shown(value)}`);
}

export function shown(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 60);
}
