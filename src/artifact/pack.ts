/** Packs a folder, or takes a zip, into the artifact of a release, with its SHA-256. */
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import { SluiceError } from '../model/errors.js';
import type { Artifact, ReleaseSource } from '../model/spec.js';
import { type PackingRules, tooLarge } from '../platforms/registry.js';
import { changed, type Entry, listFolder, openListed, type PackedFile } from './files.js';
import { readRegular } from './regular.js';
import { sha256 } from './sha256.js';
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
  const entries = await listFolder(dir, { rules, apart });
  const zip = new ZipFile();
  const out = zip.outputStream as Readable;
  const bytes = buffer(out);
  // Files are read as the zip is written, one after the other: all of them together may be larger than this machine's memory.
  let reading: { name: string; from: Readable | null } = { name: '', from: null };
  zip.on('error', (error: unknown) => {
    reading.from?.destroy();
    // Of a file the library only says that it has another size than it was listed with.
    out.destroy(error instanceof SluiceError ? error : changed(dir, reading.name));
  });
  for (const entry of entries) {
    add(zip, entry, async (file) => {
      reading = { name: file.name, from: await openListed(dir, file) };
      return reading.from as Readable;
    });
  }
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
  return { zip, artifact: { sha256: sha256(zip), bytes: zip.length } };
}

function add(zip: ZipFile, entry: Entry, read: (file: PackedFile) => Promise<Readable>): void {
  const fixed = { mtime: NO_TIME, forceDosTimestamp: true };
  const { name } = entry;
  if (entry.kind === 'folder') zip.addEmptyDirectory(name, { ...fixed, mode: MODES.folder });
  else if (entry.kind === 'link')
    zip.addBuffer(Buffer.from(entry.to), name, { ...fixed, mode: MODES.link, compress: false });
  else {
    const options = { ...fixed, mode: MODES.file | entry.mode, size: entry.bytes };
    zip.addReadStreamLazy(name, options, (give) => {
      read(entry).then(
        (stream) => give(null, stream),
        (error: unknown) => zip.emit('error', error),
      );
    });
  }
}

async function readZip(file: string, rules: PackingRules): Promise<Buffer> {
  const special = () =>
    new SluiceError('SLUICE_ARTIFACT', `${path.resolve(file)} is not a regular file (release.zip); name a zip`);
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
