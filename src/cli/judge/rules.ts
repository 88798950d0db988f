/** What `sluice judge` judges by: from its options and from a file. */
import { z } from 'zod';
import { type RulesChoice, rulesFrom, type SequentialRules } from '../../judge/index.js';
import { clean } from '../../model/text.js';
import { PERCENT, parsePercent } from '../../spec/units.js';
import type { Context } from '../command.js';
import { readText } from '../files.js';
import { flagOf, type Options, text, type Values } from '../inputs.js';
import { readSpec } from '../spec-file.js';
import { usageError } from '../usage-error.js';

/** `5%` is 0.05; what is no percentage is left to the check. */
function toNumber(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (PERCENT.test(value)) return parsePercent(value) / 100;
  return /^\d+(?:\.\d+)?(?:e-?\d+)?$/.test(value) ? Number(value) : value;
}

function number(error: string, check: (value: number) => boolean) {
  return z.preprocess(toNumber, z.number({ error }).refine(check, error)).optional();
}

const chance = () =>
  number('expected a chance above 0 and below 1, such as 0.01 or 1%', (value) => value > 0 && value < 1);
const share = () => number('expected a share from 0 to 1, such as 0.05 or 5%', (value) => value >= 0 && value <= 1);
const whole = () => number('expected a whole number, 0 or more', (value) => Number.isSafeInteger(value) && value >= 0);
const counted = (error: string) => z.number({ error }).min(0, error);

const HISTORY = 'expected errors and requests, such as 40/40000';
const WEIGHTS = 'expected three shares that add up to 1';

const schema = z.strictObject({
  alpha: chance(),
  beta: chance(),
  margin: chance(),
  ceiling: chance(),
  nullOdds: number('expected a number, 1 or more', (value) => value >= 1),
  minRequests: whole(),
  minErrors: whole(),
  minEffect: share(),
  dispersion: number('expected a number, 1 or more', (value) => value >= 1),
  history: z
    .strictObject({ errors: counted(HISTORY), requests: counted(HISTORY) }, { error: HISTORY })
    .refine(({ errors, requests }) => errors <= requests, HISTORY)
    .optional(),
  weights: z
    .strictObject(
      { relative: counted(WEIGHTS), ceiling: counted(WEIGHTS), latency: counted(WEIGHTS) },
      { error: WEIGHTS },
    )
    .refine(({ relative, ceiling, latency }) => Math.abs(relative + ceiling + latency - 1) < 1e-9, WEIGHTS)
    .optional(),
});

type Policy = z.infer<typeof schema>;

export const RULE_OPTIONS = {
  alpha: text('chance', 'Chance that a release that is no worse is ever called unhealthy (default: 1%).'),
  beta: text('chance', 'Chance that one that is worse by the margin is called healthy at a weight (default: 5%).'),
  margin: text('share', 'How much worse a healthy release may be (default: 1%, or the rate of --history if higher).'),
  ceiling: text('share', 'Error rate above which any release is unhealthy (default: 5%, or derived from --history).'),
  nullOdds: text('times', "How many times the stable release's odds of an error are acceptable (default: 1)."),
  minRequests: text(
    'n',
    'Requests of the candidate needed at a weight before it can be healthy (default: 100; in a rollout 20).',
  ),
  minErrors: text('n', 'Errors of the candidate needed before it can be unhealthy (default: 2).'),
  minEffect: text('share', 'Difference between the error rates needed before it can be unhealthy (default: 0).'),
  dispersion: text('times', 'How many errors tend to occur together (default: 1).'),
  history: text('errors/requests', "The stable release's counts before the rollout, such as 40/40000."),
} satisfies Options;

/** Of `sluice judge`, all that make its rules. */
interface Chosen extends Values<typeof RULE_OPTIONS> {
  rules: string | undefined;
  env: string | undefined;
}

/** The file first, then the options. Errors: SLUICE_USAGE, SLUICE_SPEC. */
export async function rulesOf({ rules, env, ...options }: Chosen, ctx: Context): Promise<SequentialRules> {
  const fromFile = rules === undefined ? {} : await readRules(ctx, rules, env);
  const { dispersion, ...values } = { ...fromFile, ...valuesOf(options) };
  const choice = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as RulesChoice;
  return rulesFrom(dispersion === undefined ? choice : { ...choice, stakes: { dispersion } });
}

function valuesOf({ history, ...others }: Values<typeof RULE_OPTIONS>): Policy {
  const written = Object.entries({ ...others, history: historyOf(history) }).filter(([, value]) => value !== undefined);
  return checked(Object.fromEntries(written), flagOf);
}

function historyOf(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  const [errors, requests] = /^(\d+)\/(\d+)$/.exec(text)?.slice(1).map(Number) ?? [];
  return errors === undefined ? text : { errors, requests };
}

/** A rollout.yaml, or rules with the names of the options. */
async function readRules(ctx: Context, file: string, environment: string | undefined): Promise<Policy> {
  const { parse } = await import('yaml');
  const text = readText(ctx, file);
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw usageError(
      `${file}: ${clean(error instanceof Error ? error.message : error)}; write the rules as JSON or YAML`,
    );
  }
  if (isSpec(value)) {
    const { judge: rules } = (await readSpec(ctx, file, { environment })).health;
    const { alpha, beta, minRequests, minErrors, ceiling, margin, dispersion } = rules;
    const set = { alpha, beta, minRequests, minErrors, ceiling, margin, dispersion };
    return checked(Object.fromEntries(Object.entries(set).filter(([, of]) => of !== null)), (at) => `${file}: ${at}`);
  }
  return checked(value, (at) => `${file}: ${at}`);
}

function isSpec(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ('app' in value || 'target' in value || 'strategy' in value);
}

function checked(value: unknown, named: (at: string) => string): Policy {
  const { data, error } = schema.safeParse(value);
  if (data !== undefined) return data;
  const [issue] = error.issues;
  if (issue?.code === 'unrecognized_keys') {
    throw usageError(`${named(issue.keys[0] ?? '')}: unknown; expected one of ${Object.keys(schema.shape).join(', ')}`);
  }
  throw usageError(`${named(issue?.path.join('.') ?? '')}: ${issue?.message ?? 'not valid'}`);
}
