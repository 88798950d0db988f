import { createHash } from 'node:crypto';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import { SluiceError } from '../model/errors.js';
import type { Artifact, ReleaseSource } from '../model/spec.js';
import { listFiles, type PackedFile, readListed } from './files.js';
import { locate, readRegular, type Within } from './place.js';
import { DEFAULT_STORE, keep, MOST_ZIPPED, tooLarge } from './store.js';
import { checkZip } from './zip.js';

/** The oldest time a zip can say. Local, as the zip's field is, so that the bytes are the same in every time zone. */
const NO_TIME = new Date(1980, 0, 1);

/**
 * Packs a folder into the store, byte-identically: entries sorted, times and permissions fixed (only the executable bit
 * is kept), so that the same files give the same digest (with the same version of Node's zlib). `within`: where it must lie.
 * Errors: SLUICE_NOT_FOUND, SLUICE_ARTIFACT.
 */
export async function packFolder(dir: string, store: string = DEFAULT_STORE, within: Within = null): Promise<Artifact> {
  const zip = new ZipFile();
  const content = new Content();
  const bytes = buffer(zip.outputStream as NodeJS.ReadableStream);
  // Added one after the other and read whole: yazl would otherwise open files in its own time, after they may have changed.
  for (const file of await listFiles(dir, within)) {
    const read = await readListed(dir, file);
    content.add(file, read);
    zip.addBuffer(read, file.name, {
      mtime: NO_TIME,
      mode: 0o100000 | file.mode,
      forceDosTimestamp: true,
    });
  }
  zip.end();
  return { ...(await keep(await bytes, store)), content: content.digest() };
}

/**
 * Puts a zip into the store as it is. Errors: SLUICE_NOT_FOUND, SLUICE_ARTIFACT when it is not `within`, no zip, empty or too
 * large.
 */
export async function packZip(file: string, store: string = DEFAULT_STORE, within: Within = null): Promise<Artifact> {
  const bytes = await readZip(file, within);
  checkZip(bytes, path.resolve(file));
  return { ...(await keep(bytes, store)), content: createHash('sha256').update(bytes).digest('hex') };
}

/**
 * The digest of local code, for who starts to sign: names, modes and bytes of a folder's files, or the bytes of a zip. Another
 * version of zlib packs other bytes, so that the zip's own digest would not do. Null for what is not local.
 * Errors: SLUICE_NOT_FOUND, SLUICE_ARTIFACT.
 */
export async function contentOf(release: ReleaseSource): Promise<string | null> {
  if ('zip' in release)
    return createHash('sha256')
      .update(await readZip(release.zip, null))
      .digest('hex');
  if (!('folder' in release)) return null;
  const content = new Content();
  for (const file of await listFiles(release.folder, null)) content.add(file, await readListed(release.folder, file));
  return content.digest();
}

/** What is in a folder, as one digest. */
class Content {
  private readonly hash = createHash('sha256');

  add({ name, mode }: PackedFile, bytes: Buffer): void {
    // Lengths go first, so that no two folders say the same.
    this.hash.update(`${Buffer.byteLength(name)}:${name}:${mode.toString(8)}:${bytes.length}:`);
    this.hash.update(bytes);
  }

  digest(): string {
    return this.hash.digest('hex');
  }
}

async function readZip(file: string, within: Within): Promise<Buffer> {
  const special = () =>
    new SluiceError('SLUICE_ARTIFACT', `${path.resolve(file)} is no regular file (release.zip); name a zip`);
  try {
    return await readRegular(await locate('release.zip', file, within), MOST_ZIPPED, { special, large: tooLarge });
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw new SluiceError(
      'SLUICE_NOT_FOUND',
      `the zip ${path.resolve(file)} cannot be read (${(error as NodeJS.ErrnoException).code ?? error}; release.zip)`,
    );
  }
}
