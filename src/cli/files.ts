/** Files named on the command line: failing to read or write one is a usage error, not a bug. */
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
    throw usageError(`cannot read ${clean(file, 300)}: ${(error as Error).message}`);
  }
  const text = utf8(bytes);
  if (text === null) throw usageError(`${clean(file, 300)} is not UTF-8 text`);
  return text;
}

/** Writes the file of `--out`. `newFile`: never overwrites one. Errors: SLUICE_USAGE. */
export function writeText(
  ctx: Pick<Context, 'cwd'>,
  file: string,
  text: string,
  { newFile = false }: { newFile?: boolean } = {},
): void {
  try {
    writeFileSync(path.resolve(ctx.cwd, file), text, { flag: newFile ? 'wx' : 'w' });
  } catch (error) {
    throw usageError(`cannot write ${clean(file, 300)}: ${(error as Error).message}; choose another file with --out`);
  }
}
