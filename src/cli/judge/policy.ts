/** The policy of `sluice judge`: from its options and from a file. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { type PolicyChoice, policyFrom, type SequentialPolicy } from '../../judge/index.js';
import { clean } from '../../model/text.js';
import { PERCENT, parsePercent } from '../../spec/units.js';
import type { Context, Option } from '../command.js';
import { type Given, usage } from '../given.js';
import { readSpec } from '../spec-file.js';

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
const WEIGHTS = 'expected three shares that sum to 1';

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

type Values = z.infer<typeof schema>;

export const POLICY_OPTIONS = [
  { flags: '--alpha <chance>', means: 'Chance that a release that is no worse is ever called unhealthy (1%).' },
  { flags: '--beta <chance>', means: 'Chance that one that is worse by margin is called healthy at a weight (5%).' },
  { flags: '--margin <share>', means: 'How much worse a healthy one may be (1%, or the rate of --history if more).' },
  { flags: '--ceiling <share>', means: 'Error rate that no release may pass (5%; with --history made from it).' },
  { flags: '--null-odds <times>', means: "How many times stable's odds of an error it may have (1)." },
  { flags: '--min-requests <n>', means: 'Fewest of its requests at a weight before it can be healthy (100).' },
  { flags: '--min-errors <n>', means: 'Fewest of its errors before it can be unhealthy (2).' },
  { flags: '--min-effect <share>', means: 'Least difference of the rates before it can be unhealthy (0).' },
  { flags: '--dispersion <times>', means: 'Dispersion: how many errors come at once (1).' },
  { flags: '--history <errors/requests>', means: "Stable's counts before the rollout, such as 40/40000." },
] as const satisfies readonly Option[];

/** The file first, then the options. Errors: SLUICE_USAGE, SLUICE_SPEC. */
export async function policyOf(given: Given, ctx: Context): Promise<SequentialPolicy> {
  const file = given.text('policy');
  const fromFile = file === undefined ? {} : await readPolicy(ctx, file, given.text('env'));
  const { dispersion, ...values } = { ...fromFile, ...valuesOf(given) };
  const choice = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as PolicyChoice;
  return policyFrom(dispersion === undefined ? choice : { ...choice, stakes: { dispersion: dispersion } });
}

function valuesOf(given: Given): Values {
  const names = [
    'alpha',
    'beta',
    'margin',
    'ceiling',
    'nullOdds',
    'minRequests',
    'minErrors',
    'minEffect',
    'dispersion',
  ];
  const said = [...names.map((name) => [name, given.text(name)]), ['history', historyOf(given.text('history'))]];
  return checked(Object.fromEntries(said.filter(([, value]) => value !== undefined)), (at) => `--${kebab(at)}`);
}

function historyOf(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  const [errors, requests] = /^(\d+)\/(\d+)$/.exec(text)?.slice(1).map(Number) ?? [];
  return errors === undefined ? text : { errors, requests };
}

/** A rollout.yaml, or a policy with the names of the options. */
async function readPolicy(ctx: Context, file: string, environment: string | undefined): Promise<Values> {
  const { parse } = await import('yaml');
  let value: unknown;
  try {
    value = parse(readFileSync(path.resolve(ctx.cwd, file), 'utf8'));
  } catch (error) {
    throw usage(`${file}: ${clean(error instanceof Error ? error.message : error)}; write a policy as JSON or YAML`);
  }
  if (isSpec(value)) {
    const { policy } = (await readSpec(ctx, file, { environment })).health;
    const { alpha, beta, minRequests, minErrors, ceiling, margin, dispersion } = policy;
    const said = { alpha, beta, minRequests, minErrors, ceiling, margin, dispersion };
    return checked(Object.fromEntries(Object.entries(said).filter(([, of]) => of !== null)), (at) => `${file}: ${at}`);
  }
  return checked(value, (at) => `${file}: ${at}`);
}

function isSpec(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ('app' in value || 'target' in value || 'strategy' in value);
}

function checked(value: unknown, named: (at: string) => string): Values {
  const { data, error } = schema.safeParse(value);
  if (data !== undefined) return data;
  const [issue] = error.issues;
  if (issue?.code === 'unrecognized_keys') {
    throw usage(`${named(issue.keys[0] ?? '')}: not known; known are ${Object.keys(schema.shape).join(', ')}`);
  }
  throw usage(`${named(issue?.path.join('.') ?? '')}: ${issue?.message ?? 'not valid'}`);
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
