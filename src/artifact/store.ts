import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { SluiceError } from '../model/errors.js';
import type { Artifact } from '../model/spec.js';
import { readRegular, realIn } from './place.js';

/** Where artifacts are kept unless told otherwise, relative to the working directory. */
export const DEFAULT_STORE = path.join('.sluice', 'artifacts');

/**
 * Keeps `zip` in the store, named by its SHA-256. Written aside and renamed, so that nobody reads half of it; a file that
 * is there already is kept when it is intact.
 */
export async function keep(zip: Buffer, store: string): Promise<Artifact> {
  const sha256 = digest(zip);
  const file = path.join(path.resolve(store), `${sha256}.zip`);
  if (!(await holds(file, sha256, zip.length))) {
    await mkdir(path.dirname(file), { recursive: true });
    const aside = `${file}.${randomUUID()}.tmp`;
    try {
      const handle = await open(aside, 'wx');
      try {
        await handle.writeFile(zip);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(aside, file);
    } catch (error) {
      await rm(aside, { force: true });
      throw error;
    }
  }
  return { uri: pathToFileURL(file).href, sha256, bytes: zip.length };
}

/**
 * The artifact's bytes, from the store alone: a spec can name any file. Errors: SLUICE_ARTIFACT when it is not there, or not
 * what was packed.
 */
export async function readArtifact(artifact: Artifact, store: string): Promise<Buffer> {
  const bytes = await readKept(artifact, store);
  // What it has instead is not told: a digest is enough to guess a short text by.
  if (digest(bytes) === artifact.sha256) return bytes;
  throw new SluiceError(
    'SLUICE_ARTIFACT',
    `the artifact ${artifact.uri} does not have sha256 ${artifact.sha256}: it was changed after it was packed. Start again so that it is packed anew`,
  );
}

async function readKept({ uri, bytes }: Artifact, store: string): Promise<Buffer> {
  const unreadable = (why: string) =>
    new SluiceError(
      'SLUICE_ARTIFACT',
      `the artifact ${uri} cannot be read (${why}). All workers must share one artifact store (SLUICE_STORE); else start again so that it is packed anew`,
    );
  try {
    const real = await realIn(fileURLToPath(uri), [store]);
    if (real === null) throw unreadable("it is not in this worker's artifact store");
    return await readRegular(real, bytes, {
      special: () => unreadable('it is no regular file'),
      large: () => unreadable('it has more bytes than were packed'),
    });
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    throw unreadable((error as NodeJS.ErrnoException).code ?? String(error));
  }
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function holds(file: string, sha256: string, size: number): Promise<boolean> {
  try {
    return (await stat(file)).size === size && digest(await readFile(file)) === sha256;
  } catch {
    return false;
  }
}
