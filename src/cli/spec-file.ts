/** Reads a rollout.yaml for a command. The parser is loaded only then. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { SluiceError } from '../model/errors.js';
import type { Spec } from '../model/spec.js';
import { utf8 } from '../model/text.js';
import { STRATEGIES, type Strategy } from '../model/words.js';
import type { Context } from './command.js';
import { ENVIRONMENT } from './common.js';
import { choice, type Options, type Values } from './inputs.js';
import { usageError } from './usage-error.js';

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
  const { parseSpecText } = await import('../spec/index.js');
  const whole = path.resolve(ctx.cwd, file);
  return parseSpecText(readText(file, whole), {
    file: file === '-' ? 'stdin' : file,
    env: ctx.env,
    baseDir: file === '-' ? ctx.cwd : path.dirname(whole),
    ...(choice.environment === undefined ? {} : { environment: choice.environment }),
    ...(choice.type === undefined ? {} : { type: choice.type }),
  });
}

/** The environments a file names, in its order; empty when it has no `environments`. Not validated. */
export async function environmentsIn(ctx: Context, file: string): Promise<string[]> {
  const { parse } = await import('yaml');
  try {
    const found = (parse(readText(file, path.resolve(ctx.cwd, file))) as { environments?: unknown } | null)
      ?.environments;
    return typeof found === 'object' && found !== null ? Object.keys(found) : [];
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    return [];
  }
}

function readText(file: string, whole: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file === '-' ? 0 : whole);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : String(error);
    throw usageError(`${file}: ${why}. \`sluice init\` writes a first one`);
  }
  const text = utf8(bytes);
  if (text === null) throw usageError(`${file}: not UTF-8 text; save it as UTF-8`);
  return text;
}
