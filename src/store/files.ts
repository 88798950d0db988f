import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { readRegular } from '../artifact/index.js';
import { SluiceError } from '../model/errors.js';

/**
 * A store's file; null when there is none. No link leads out of the store, and devices and pipes, which have no end, are
 * refused unread. Errors: SLUICE_ARTIFACT, and the file system's own.
 */
export async function readWhole(root: string, file: string, most: number): Promise<Buffer | null> {
  const real = await realIn(root, file);
  if (real === null) return null;
  return readRegular(real, most, {
    special: () => new SluiceError('SLUICE_ARTIFACT', `${file} is no regular file`),
    large: () => tooMuch(file, most),
  });
}

/** The error for an object that is larger than it can be. */
export function tooMuch(what: string, most: number): SluiceError {
  return new SluiceError('SLUICE_ARTIFACT', `${what} has more than the ${most} bytes that it should have`);
}

async function realIn(root: string, file: string): Promise<string | null> {
  try {
    const [real, within] = [await realpath(file), await realpath(root)];
    const below = path.relative(within, real);
    if (below.split(path.sep)[0] !== '..' && !path.isAbsolute(below)) return real;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
  throw new SluiceError('SLUICE_ARTIFACT', `${file} is a link that leads out of the artifact store`);
}
