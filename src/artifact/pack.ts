import { createHash } from 'node:crypto';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import { SluiceError } from '../model/errors.js';
import type { Artifact, ReleaseSource } from '../model/spec.js';
import { type PackingRules, tooLarge } from '../platforms/index.js';
import { type Entry, listFolder, readListed } from './files.js';
import { locate, readRegular, type Within } from './place.js';
import { DEFAULT_STORE, keep } from './store.js';
import { checkZip } from './zip.js';

/** The oldest time a zip can say. Local, as the zip's field is, so that the bytes are the same in every time zone. */
const NO_TIME = new Date(1980, 0, 1);

/** The type of an entry, in the mode that a zip keeps for Unix. */
const MODES = { file: 0o100000, link: 0o120777, folder: 0o040755 };

/** Where code is packed into, and from. */
interface PackingPlace {
  /** The folder of packages; what of it lies in a folder that is packed stays out. */
  store?: string;
  /** Where the code must lie; anywhere unless given. */
  within?: Within;
}

/**
 * Packs a folder into the store, byte-identically: entries sorted, times and permissions fixed (only the executable bit
 * is kept), so that the same files give the same digest (with the same version of Node's zlib).
 * Errors: SLUICE_NOT_FOUND, SLUICE_ARTIFACT.
 */
export async function packFolder(dir: string, rules: PackingRules, place: PackingPlace = {}): Promise<Artifact> {
  const { store = DEFAULT_STORE, within = null } = place;
  const zip = new ZipFile();
  const content = new Content();
  const bytes = buffer(zip.outputStream as NodeJS.ReadableStream);
  // Added one after the other and read whole: yazl would otherwise open files in its own time, after they may have changed.
  for (const entry of await listFolder(dir, { rules, within, stores: [store] })) {
    const read = await bytesOf(dir, entry, rules);
    content.add(entry, read);
    add(zip, entry, read);
  }
  zip.end();
  return { ...(await keep(fitting(await bytes, rules), store)), content: content.digest() };
}

/**
 * Puts a zip into the store as it is. Errors: SLUICE_NOT_FOUND, SLUICE_ARTIFACT when it is not `within`, no zip, empty or more
 * than the platform takes.
 */
export async function packZip(file: string, rules: PackingRules, place: PackingPlace = {}): Promise<Artifact> {
  const { store = DEFAULT_STORE, within = null } = place;
  const bytes = await readZip(file, rules, within);
  await checkZip(bytes, path.resolve(file), rules);
  return { ...(await keep(bytes, store)), content: createHash('sha256').update(bytes).digest('hex') };
}

/**
 * The digest of local code, for who starts to sign: names, modes and bytes of a folder's files, or the bytes of a zip. Another
 * version of zlib packs other bytes, so that the zip's own digest would not do. Null for what is not local.
 * Errors: SLUICE_NOT_FOUND, SLUICE_ARTIFACT.
 */
export async function contentOf(release: ReleaseSource, rules: PackingRules): Promise<string | null> {
  if ('zip' in release)
    return createHash('sha256')
      .update(await readZip(release.zip, rules, null))
      .digest('hex');
  if (!('folder' in release)) return null;
  const content = new Content();
  for (const entry of await listFolder(release.folder, { rules, within: null, stores: [DEFAULT_STORE] }))
    content.add(entry, await bytesOf(release.folder, entry, rules));
  return content.digest();
}

function add(zip: ZipFile, entry: Entry, bytes: Buffer): void {
  const fixed = { mtime: NO_TIME, forceDosTimestamp: true };
  if (entry.kind === 'folder') zip.addEmptyDirectory(entry.name, { ...fixed, mode: MODES.folder });
  else if (entry.kind === 'link') zip.addBuffer(bytes, entry.name, { ...fixed, mode: MODES.link, compress: false });
  else zip.addBuffer(bytes, entry.name, { ...fixed, mode: MODES.file | entry.mode });
}

/** What of an entry goes into the zip. */
async function bytesOf(dir: string, entry: Entry, rules: PackingRules): Promise<Buffer> {
  if (entry.kind === 'folder') return Buffer.alloc(0);
  return entry.kind === 'link' ? Buffer.from(entry.to) : readListed(dir, entry, rules);
}

function fitting(zip: Buffer, rules: PackingRules): Buffer {
  const why = tooLarge(zip.length, rules);
  if (why !== null) throw new SluiceError('SLUICE_ARTIFACT', why);
  return zip;
}

/** What is in a folder, as one digest. */
class Content {
  private readonly hash = createHash('sha256');

  add(entry: Entry, bytes: Buffer): void {
    const mode = MODES[entry.kind] | (entry.kind === 'file' ? entry.mode : 0);
    // Lengths go first, so that no two folders say the same.
    this.hash.update(`${Buffer.byteLength(entry.name)}:${entry.name}:${mode.toString(8)}:${bytes.length}:`);
    this.hash.update(bytes);
  }

  digest(): string {
    return this.hash.digest('hex');
  }
}

async function readZip(file: string, rules: PackingRules, within: Within): Promise<Buffer> {
  const special = () =>
    new SluiceError('SLUICE_ARTIFACT', `${path.resolve(file)} is no regular file (release.zip); name a zip`);
  const large = (bytes: number) => new SluiceError('SLUICE_ARTIFACT', tooLarge(bytes, rules) ?? '');
  try {
    return await readRegular(await locate('release.zip', file, within), rules.mostZipped, { special, large });
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw new SluiceError(
      'SLUICE_NOT_FOUND',
      `the zip ${path.resolve(file)} cannot be read (${(error as NodeJS.ErrnoException).code ?? error}; release.zip)`,
    );
  }
}
