import { createHash } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import { SluiceError } from '../model/errors.js';
import type { Artifact, ReleaseSource } from '../model/spec.js';
import { type PackingRules, tooLarge } from '../platforms/index.js';
import { type Entry, listFolder, readListed } from './files.js';
import { readRegular } from './regular.js';
import { checkZip } from './zip.js';

/** The oldest time a zip can say. Local, as the zip's field is, so that the bytes are the same in every time zone. */
const NO_TIME = new Date(1980, 0, 1);

/** The type of an entry, in the mode that a zip keeps for Unix. */
const MODES = { file: 0o100000, link: 0o120777, folder: 0o040755 };

/** A zip and its name. */
export interface Packed {
  zip: Buffer;
  artifact: Artifact;
}

/**
 * Packs what a spec names on this machine; null for a release that is not local. `apart`: folders that stay out of it, the
 * artifact store. Errors: SLUICE_NOT_FOUND, SLUICE_ARTIFACT.
 */
export async function pack(
  release: ReleaseSource,
  rules: PackingRules,
  apart: readonly string[] = [],
): Promise<Packed | null> {
  if ('folder' in release) return packFolder(release.folder, rules, apart);
  if ('zip' in release) return packZip(release.zip, rules);
  return null;
}

/**
 * Packs a folder byte-identically: entries sorted, times and permissions fixed (only the executable bit is kept), so that the
 * same files give the same digest (with the same version of Node's zlib). Errors: SLUICE_NOT_FOUND, SLUICE_ARTIFACT.
 */
export async function packFolder(dir: string, rules: PackingRules, apart: readonly string[] = []): Promise<Packed> {
  const zip = new ZipFile();
  const bytes = buffer(zip.outputStream as NodeJS.ReadableStream);
  // Added one after the other and read whole: yazl would otherwise open files in its own time, after they may have changed.
  for (const entry of await listFolder(dir, { rules, apart })) add(zip, entry, await bytesOf(dir, entry, rules));
  zip.end();
  const packed = named(await bytes);
  const why = tooLarge(packed.zip.length, rules);
  if (why !== null) throw new SluiceError('SLUICE_ARTIFACT', why);
  return packed;
}

/** A zip as it is. Errors: SLUICE_NOT_FOUND, SLUICE_ARTIFACT when it is no zip, empty or more than the platform takes. */
export async function packZip(file: string, rules: PackingRules): Promise<Packed> {
  const bytes = await readZip(file, rules);
  await checkZip(bytes, path.resolve(file), rules);
  return named(bytes);
}

function named(zip: Buffer): Packed {
  return { zip, artifact: { sha256: createHash('sha256').update(zip).digest('hex'), bytes: zip.length } };
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

async function readZip(file: string, rules: PackingRules): Promise<Buffer> {
  const special = () =>
    new SluiceError('SLUICE_ARTIFACT', `${path.resolve(file)} is no regular file (release.zip); name a zip`);
  const large = (bytes: number) => new SluiceError('SLUICE_ARTIFACT', tooLarge(bytes, rules) ?? '');
  try {
    return await readRegular(await realpath(path.resolve(file)), rules.mostZipped, { special, large });
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw new SluiceError(
      'SLUICE_NOT_FOUND',
      `the zip ${path.resolve(file)} cannot be read (${(error as NodeJS.ErrnoException).code ?? error}; release.zip)`,
    );
  }
}
