import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import { SluiceError } from '../model/errors.js';
import type { Artifact } from '../model/spec.js';
import { listFiles } from './files.js';
import { DEFAULT_STORE, keep } from './store.js';
import { checkZip } from './zip.js';

/** The oldest time a zip can say. Local, as the zip's field is, so that the bytes are the same in every time zone. */
const NO_TIME = new Date(1980, 0, 1);

/**
 * Packs a folder into the store, byte-identically: entries sorted, times and permissions fixed (only the executable bit
 * is kept), so that the same files give the same digest (with the same version of Node's zlib).
 * Errors: SLUICE_NOT_FOUND, SLUICE_ARTIFACT.
 */
export async function packFolder(dir: string, store: string = DEFAULT_STORE): Promise<Artifact> {
  const zip = new ZipFile();
  const bytes = buffer(zip.outputStream as NodeJS.ReadableStream);
  // Added one after the other and read whole: yazl would otherwise open files in its own time, after they may have changed.
  for (const file of await listFiles(dir)) {
    zip.addBuffer(await readFile(file.from), file.name, {
      mtime: NO_TIME,
      mode: 0o100000 | file.mode,
      forceDosTimestamp: true,
    });
  }
  zip.end();
  return keep(await bytes, store);
}

/** Puts a zip into the store as it is. Errors: SLUICE_NOT_FOUND, SLUICE_ARTIFACT when it is no zip, empty or too large. */
export async function packZip(file: string, store: string = DEFAULT_STORE): Promise<Artifact> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new SluiceError(
      'SLUICE_NOT_FOUND',
      `the zip ${path.resolve(file)} cannot be read (${(error as NodeJS.ErrnoException).code ?? error}; release.zip)`,
    );
  }
  checkZip(bytes, path.resolve(file));
  return keep(bytes, store);
}
