/** Building blocks of the schema: each says in its message what it expects. */
import { z } from 'zod';
import { suggestion } from '../nearest.js';
import { DURATION, PERCENT, parseDuration, parsePercent, writeDuration, writeShare } from '../units.js';

export const SECOND = 1_000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;

/** Names of apps, environments, probes, metrics and accounts: they become parts of ids, queues and search attributes. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** Says what is expected, except where nothing was written: that is reported as missing. */
function expecting(what: string) {
  return { error: (issue: { input?: unknown }) => (issue.input === undefined ? undefined : what) };
}

/**
 * A mapping that refuses unknown keys, one line a key, each with the nearest known one. `elsewhere` are keys with a meaning in
 * another place, and what to say of them.
 */
export function strict<S extends z.core.$ZodLooseShape>(shape: S, elsewhere: Readonly<Record<string, string>> = {}) {
  const refuse = (key: string) =>
    Object.hasOwn(elsewhere, key)
      ? `${key} ${elsewhere[key]}`
      : `unknown key "${key}"${suggestion(key, Object.keys(shape))}`;
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? issue.keys.map(refuse).join('\n') : undefined),
  });
}

/** Text, not empty. */
export function text(most = 500) {
  return z.string().min(1, 'must not be empty').max(most, `at most ${most} characters`);
}

export function name() {
  return z.string().regex(NAME, 'letters, digits, ".", "_" and "-" only, 63 at most, a letter or digit first');
}

/** Of schemas of text with a unit: those of the number that each is read as. */
const NUMBERS = new WeakMap<z.core.$ZodType, z.ZodType<number>>();

/** Of a schema of text with a unit, with whatever was added to it: that of the number it is read as. */
export function numberOf(text: z.core.$ZodType): z.ZodType<number> | undefined {
  const { parent } = text._zod;
  return NUMBERS.get(text) ?? (parent === undefined ? undefined : numberOf(parent));
}

function readAs<T extends z.core.$ZodType>(text: T, number: z.ZodType<number>): T {
  NUMBERS.set(text, number);
  return text;
}

/** A number from `least` to `most`, and nothing else: the form that a complete spec has. */
function number(what: string, least: number, most: number) {
  const expected = `expected ${what} as a number from ${least} to ${most}`;
  return z.number(expecting(expected)).min(least, expected).max(most, expected);
}

/** A duration such as `5m`, in milliseconds once parsed. `least` and `most` are milliseconds. */
export function duration(least = 0, most = 365 * DAY) {
  const expected = 'expected a duration such as 500ms, 30s, 5m, 2h or 1d';
  const text = z
    .string({
      error: (issue) => {
        if (issue.input === undefined) return undefined;
        return typeof issue.input === 'number' ? `${expected} (write the unit: ${issue.input}s?)` : expected;
      },
    })
    .regex(DURATION, expected)
    .transform((written, ctx) => {
      const ms = parseDuration(written);
      if (ms < least || ms > most) {
        ctx.addIssue(`${written} is out of range (from ${writeDuration(least)} to ${writeDuration(most)})`);
        return z.NEVER;
      }
      return ms;
    });
  return readAs(
    text,
    number('whole milliseconds', least, most).int(`expected whole milliseconds from ${least} to ${most}`),
  );
}

/** Watched time: a duration, or `{min, max}` for one that may pass early. */
export function bake() {
  return z.union([
    duration(),
    strict({
      min: duration().describe('Before this it never passes.'),
      max: duration(SECOND).describe('Then what was counted decides.'),
    }).superRefine(({ min, max }, ctx) => {
      if (min >= max) {
        ctx.addIssue(`min ${writeDuration(min)} must be shorter than max ${writeDuration(max)}`);
      }
    }),
  ]);
}

/** A percentage as text. The sign is needed everywhere, since 0.05 could mean either. */
function percentage() {
  const expected = 'expected a percentage with its sign, such as 10% or 0.5%';
  return z
    .string({
      error: ({ input }) => {
        if (input === undefined) return undefined;
        return typeof input === 'number' ? `${expected} (${signed(input)})` : expected;
      },
    })
    .regex(PERCENT, expected);
}

/** How a number without its sign could be meant. */
function signed(value: number): string {
  const other = value > 0 && value <= 1 ? ` or ${writeShare(value)}, whichever you mean` : '';
  return `write ${value}%${other}`;
}

/** A weight such as `10%`, in percent (0-100) once parsed; at most two decimals. */
export function weight() {
  const text = percentage().transform((written, ctx) => {
    const percent = parsePercent(written);
    if (!(percent > 0 && percent <= 100)) {
      ctx.addIssue(`${written} is out of range (more than 0%, at most 100%)`);
      return z.NEVER;
    }
    if (!hasTwoDecimals(percent)) {
      ctx.addIssue(`${written} is too fine (two decimals at most)`);
      return z.NEVER;
    }
    return percent;
  });
  return readAs(
    text,
    number('percent', 0, 100)
      .gt(0, 'expected more than 0 percent')
      .refine(hasTwoDecimals, 'is too fine (two decimals at most)'),
  );
}

function hasTwoDecimals(percent: number): boolean {
  return percent === Math.round(percent * 100) / 100;
}

/** A share such as `5%`, as 0-1 once parsed. */
export function share() {
  const text = percentage().transform((written, ctx) => {
    const percent = parsePercent(written);
    if (percent > 100) {
      ctx.addIssue(`${written} is more than 100%`);
      return z.NEVER;
    }
    return percent / 100;
  });
  return readAs(text, number('a share', 0, 1));
}

/** A small chance such as `1%`, as 0-1 once parsed: more than none, at most a half. */
export function chance() {
  return share().superRefine((value, ctx) => {
    if (!(value > 0 && value <= 0.5)) ctx.addIssue('expected more than 0%, at most 50%');
  });
}

/** A reference to a secret; the check says what is wrong inside one. */
export function reference() {
  return z
    .string()
    .regex(
      /^secret:\/\//,
      'expected a reference to a secret: secret://STORE/NAME (the value itself would be recorded)',
    );
}

export function whole(least: number, most: number) {
  const expected = `expected a whole number from ${least} to ${most}`;
  return z.int(expecting(expected)).min(least, expected).max(most, expected);
}

export const address = () => z.string().regex(/^https?:\/\/\S+$/, 'expected an http or https URL');

export const headers = () =>
  z
    .record(z.string(), z.string())
    .exactOptional()
    .describe(
      'Request headers. They are recorded, so write a secret as a reference, `secret://STORE/NAME`, as the whole value.',
    );

export const jsonPath = () =>
  z.string().regex(/^\$(?:\.[A-Za-z_][\w-]*|\[\d+\])*$/, 'expected a JSON path such as $.items[0].id');
