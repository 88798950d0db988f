/** Where a worker takes code from. A spec names paths of the worker's machine, and its author is not the worker's operator. */
import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import path from 'node:path';
import { SluiceError } from '../model/errors.js';

/** Folders in which a spec's folders and zips must lie. Null: anywhere; empty: nowhere. */
export type Within = readonly string[] | null;

/**
 * The real path of what a field of a spec names, so that no link leads elsewhere afterwards. Errors: SLUICE_ARTIFACT when it is
 * not in one of the folders; the file system's own where everything is allowed.
 */
export async function locate(field: 'release.folder' | 'release.zip', at: string, within: Within): Promise<string> {
  if (within === null) return realpath(path.resolve(at));
  if (within.length === 0) {
    throw new SluiceError(
      'SLUICE_ARTIFACT',
      `${field}: this worker has a policy, and no folder that it takes code from; set SLUICE_RELEASE_DIRS where it runs to the folders that hold code`,
    );
  }
  const real = await realIn(path.resolve(at), within);
  if (real !== null) return real;
  throw new SluiceError(
    'SLUICE_ARTIFACT',
    `${field}: ${path.resolve(at)} is not there, or not in a folder that this worker takes code from; put it there, or name its folder where the worker runs: SLUICE_RELEASE_DIRS`,
  );
}

/** The real path of a file that is in one of the folders. Else null, whether it is there or not: that is nobody's business. */
export async function realIn(file: string, folders: readonly string[]): Promise<string | null> {
  const [real, ...roots] = await Promise.all([file, ...folders].map((each) => realpath(each).catch(() => null)));
  return real != null && roots.some((root) => root !== null && isIn(root, real)) ? real : null;
}

function isIn(root: string, at: string): boolean {
  const below = path.relative(root, at);
  return below.split(path.sep)[0] !== '..' && !path.isAbsolute(below);
}

/**
 * A regular file's bytes, by its real path. Devices and pipes have no end: they are refused before anything is read, and of a
 * file that grows no more is read than it had. Errors: what `refuse` makes, and the file system's own.
 */
export async function readRegular(
  real: string,
  most: number,
  refuse: { special: () => SluiceError; large: (bytes: number) => SluiceError },
): Promise<Buffer> {
  // Opening a pipe would wait for its writer.
  const handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw refuse.special();
    if (found.size > most) throw refuse.large(found.size);
    const bytes = Buffer.alloc(found.size);
    let read = 0;
    while (read < bytes.length) {
      const { bytesRead } = await handle.read(bytes, read, bytes.length - read, read);
      if (bytesRead === 0) break;
      read += bytesRead;
    }
    return bytes.subarray(0, read);
  } finally {
    await handle.close();
  }
}
