/** Files that a command names: what cannot be read or written is said, and is no defect. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { clean, utf8 } from '../model/text.js';
import type { Context } from './command.js';
import { usageError } from './usage-error.js';

/** The file's text. Errors: SLUICE_USAGE. */
export function readText(ctx: Pick<Context, 'cwd'>, file: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path.resolve(ctx.cwd, file));
  } catch (error) {
    throw usageError(`${clean(file, 300)} cannot be read: ${(error as Error).message}`);
  }
  const text = utf8(bytes);
  if (text === null) throw usageError(`${clean(file, 300)} is not UTF-8 text`);
  return text;
}

/** Writes what `--out` names. `anew`: a file that is there is kept. Errors: SLUICE_USAGE. */
export function writeText(
  ctx: Pick<Context, 'cwd'>,
  file: string,
  text: string,
  { anew = false }: { anew?: boolean } = {},
): void {
  try {
    writeFileSync(path.resolve(ctx.cwd, file), text, { flag: anew ? 'wx' : 'w' });
  } catch (error) {
    throw usageError(`${clean(file, 300)} cannot be written: ${(error as Error).message}; name another one with --out`);
  }
}
