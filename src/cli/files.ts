/** Files named on the command line: failing to read or write one is a usage error, not a bug. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { clean, utf8 } from '../model/text.js';
import type { Context } from './command.js';
import { usageError } from './usage-error.js';

/** What kind of file is wanted: the name it usually has, and what to do when there is none. */
interface Wanted {
  usually?: string;
  cure?: string;
}

/** The file's text; `-` is stdin where `stdin` says so. Errors: SLUICE_USAGE. */
export function readText(
  ctx: Pick<Context, 'cwd'>,
  file: string,
  { stdin = false, ...wanted }: Wanted & { stdin?: boolean } = {},
): string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(stdin && file === '-' ? 0 : path.resolve(ctx.cwd, file));
  } catch (error) {
    throw usageError(whyUnread(file, error as NodeJS.ErrnoException, wanted));
  }
  const text = utf8(bytes);
  if (text === null) throw usageError(`${clean(file, 300)}: not UTF-8 text; save it as UTF-8`);
  return text;
}

function whyUnread(file: string, { code, message }: NodeJS.ErrnoException, { usually, cure }: Wanted): string {
  const named = clean(file, 300);
  if (code === 'ENOENT') return `${named}: no such file${cure === undefined ? '' : `. ${cure}`}`;
  if (code !== 'EISDIR') return `cannot read ${named}: ${clean(message)}`;
  const such = usually === undefined ? '' : `, such as ${clean(path.join(file, usually), 300)}`;
  return `${named} is a folder; name the file in it${such}`;
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
