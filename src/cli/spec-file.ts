/** Reads a rollout.yaml for a command. The parser is loaded only then. */
import path from 'node:path';
import type { Spec } from '../model/spec.js';
import { STRATEGIES, type Strategy } from '../model/words.js';
import type { Context } from './command.js';
import { ENVIRONMENT } from './common.js';
import { readText } from './files.js';
import { choice, type Options, type Values } from './inputs.js';

/** Options of the verbs that take a rollout.yaml; `readChosen` reads it by them. */
export const SPEC_OPTIONS = {
  env: ENVIRONMENT,
  strategy: choice('strategy', STRATEGIES, 'Strategy to use if the file sets none; must match if it does.'),
} satisfies Options;

/** The rollout.yaml a verb was given. Errors: as `readSpec`. */
export function readChosen(ctx: Context, file: string, chosen: Values<typeof SPEC_OPTIONS>): Promise<Spec> {
  return readSpec(ctx, file, { environment: chosen.env, type: chosen.strategy });
}

export interface SpecChoice {
  environment?: string | undefined;
  type?: Strategy | undefined;
}

/** `-` is stdin. Errors: SLUICE_SPEC with file, line and column; SLUICE_USAGE when the file cannot be read. */
export async function readSpec(ctx: Context, file: string, choice: SpecChoice): Promise<Spec> {
  return parsed(ctx, file, readSpecText(ctx, file), choice);
}

/** The specs of all environments that a rollout can be started in from this file, in its order. Errors: as `readSpec`, of the first bad one. */
export async function readAllSpecs(ctx: Context, file: string): Promise<Spec[]> {
  const text = readSpecText(ctx, file);
  const specs: Spec[] = [];
  for (const environment of await environmentsIn(text)) {
    const spec = await parsed(ctx, file, text, { environment });
    if (specs.every((each) => each.environment !== spec.environment)) specs.push(spec);
  }
  return specs;
}

async function parsed(ctx: Context, file: string, text: string, choice: SpecChoice): Promise<Spec> {
  const { parseSpecText } = await import('../spec/index.js');
  return parseSpecText(text, {
    file: file === '-' ? 'stdin' : file,
    env: ctx.env,
    baseDir: file === '-' ? ctx.cwd : path.dirname(path.resolve(ctx.cwd, file)),
    ...(choice.environment === undefined ? {} : { environment: choice.environment }),
    ...(choice.type === undefined ? {} : { type: choice.type }),
  });
}

/**
 * The environments that a file lists; undefined is the one of the file itself, which is chosen by no -e and must be a listed one
 * too. Not validated.
 */
async function environmentsIn(text: string): Promise<(string | undefined)[]> {
  const { parse } = await import('yaml');
  try {
    const found = parse(text) as { environment?: unknown; environments?: unknown } | null;
    const { environment: own, environments } = found ?? {};
    const listed = typeof environments === 'object' && environments !== null ? Object.keys(environments) : [];
    if (listed.length === 0) return [undefined];
    return own === undefined || listed.some((each) => each === own) ? listed : [...listed, undefined];
  } catch {
    // The spec's own parser says what is wrong.
    return [undefined];
  }
}

function readSpecText(ctx: Context, file: string): string {
  return readText(ctx, file, { stdin: true, usually: 'rollout.yaml', cure: '`sluice init` writes a first one' });
}
