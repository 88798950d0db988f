import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { SluiceError } from '../model/errors.js';
import type { Artifact } from '../model/spec.js';

/** Where artifacts are kept unless told otherwise, relative to the working directory. */
export const DEFAULT_STORE = path.join('.sluice', 'artifacts');

/** Lambda's limits for code that is uploaded directly ("Lambda quotas" in its developer guide). */
const MOST_ZIPPED = 50 * 1024 * 1024;
export const MOST_UNZIPPED = 250 * 1024 * 1024;

/**
 * Keeps `zip` in the store, named by its SHA-256. Written aside and renamed, so that nobody reads half of it; a file that
 * is there already is kept when it is intact. Errors: SLUICE_ARTIFACT when it is too large for Lambda.
 */
export async function keep(zip: Buffer, store: string): Promise<Artifact> {
  if (zip.length > MOST_ZIPPED) {
    throw new SluiceError(
      'SLUICE_ARTIFACT',
      `the zip has ${megabytes(zip.length)}; Lambda takes ${megabytes(MOST_ZIPPED)} at most. Take files out, or put it into S3 (release: {s3: …})`,
    );
  }
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

/** The artifact's bytes. Errors: SLUICE_ARTIFACT when they are missing or are not what was packed. */
export async function readArtifact(artifact: Artifact): Promise<Buffer> {
  let bytes: Buffer;
  try {
    bytes = await readFile(fileURLToPath(artifact.uri));
  } catch (error) {
    throw new SluiceError(
      'SLUICE_ARTIFACT',
      `the artifact ${artifact.uri} cannot be read (${(error as NodeJS.ErrnoException).code ?? error}). Worker and client must share the artifact store; else start again so that it is packed anew`,
    );
  }
  const found = digest(bytes);
  if (found !== artifact.sha256) {
    throw new SluiceError(
      'SLUICE_ARTIFACT',
      `the artifact ${artifact.uri} has sha256 ${found}, not ${artifact.sha256}: it was changed after it was packed. Start again so that it is packed anew`,
    );
  }
  return bytes;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`;
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
