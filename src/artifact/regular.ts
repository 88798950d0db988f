/** Reads a file only if it is a regular one. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { SluiceError } from '../model/errors.js';

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
