/** Reads files of the artifact store safely. */
import { lstat, realpath } from 'node:fs/promises';
import path from 'node:path';
import { readRegular } from '../artifact/index.js';
import { SluiceError } from '../model/errors.js';
import type { Found, Seen } from './port.js';

/**
 * A store's file; null if there is none. No link leads out of the store, and devices and pipes, which have no end, are not
 * read. Errors: the file system's own.
 */
export async function readWhole(root: string, file: string, most: number): Promise<Found | null> {
  // Before it is read: what is put there meanwhile has another tag.
  const seen = await seenAt(file);
  if (seen === null) return null;
  const real = await realIn(root, file);
  if (real === null) return { ...seen, bytes: null };
  const bytes = await readRegular(real, most, { special: () => new Unread(), large: () => new Unread() }).catch(
    (error: unknown) => {
      if (error instanceof Unread) return null;
      throw error;
    },
  );
  return { ...seen, bytes };
}

/** Which file has this name, without following links; null if there is none. */
export async function seenAt(file: string): Promise<Seen | null> {
  try {
    const { ino, mtimeNs, size } = await lstat(file, { bigint: true });
    return { tag: `${ino}-${mtimeNs}-${size}`, size: Number(size) };
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

class Unread extends SluiceError {
  constructor() {
    super('SLUICE_ARTIFACT', 'it is not an artifact');
  }
}

/** The error for wrong bytes that are too many to be moved aside. */
export function tooLargeToMove(what: string, size: number, most: number): SluiceError {
  return new SluiceError(
    'SLUICE_ARTIFACT',
    `${what} does not match its name, and its ${size} bytes are too many to move it aside (at most ${most}). Delete it by hand and start again`,
  );
}

/** Null if it points outside the store or to nothing. */
async function realIn(root: string, file: string): Promise<string | null> {
  try {
    const [real, within] = [await realpath(file), await realpath(root)];
    const below = path.relative(within, real);
    return below.split(path.sep)[0] === '..' || path.isAbsolute(below) ? null : real;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
