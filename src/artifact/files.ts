import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { SluiceError } from '../model/errors.js';
import { MOST_UNZIPPED, megabytes } from './store.js';

/** One file of a folder to pack. */
export interface PackedFile {
  /** Path in the zip, with `/`. */
  name: string;
  /** Where it is read from; for a symlink, what it points to. */
  from: string;
  /** Permission bits it gets in the zip. */
  mode: number;
}

/** Folders deeper than this are a loop of symlinks. */
const DEEPEST = 64;

/**
 * The files under `dir`, sorted by their name's bytes, so that the order does not depend on the file system or the
 * locale. Symlinks are followed within the folder. Errors: SLUICE_NOT_FOUND when there is no such folder,
 * SLUICE_ARTIFACT when it is empty, too large unzipped, or a symlink leads out of it.
 */
export async function listFiles(dir: string): Promise<PackedFile[]> {
  const root = await realFolder(dir);
  const files: PackedFile[] = [];
  let bytes = 0;
  const walk = async (folder: string, prefix: string, depth: number): Promise<void> => {
    if (depth > DEEPEST)
      throw refuse(dir, `"${prefix}" is nested too deep; a symlink may point back to its own folder`);
    for (const entry of await readdir(folder)) {
      const name = prefix + entry;
      const from = await inside(root, path.join(folder, entry), dir, name);
      const found = await stat(from);
      if (found.isDirectory()) {
        await walk(from, `${name}/`, depth + 1);
      } else if (found.isFile()) {
        bytes += found.size;
        if (bytes > MOST_UNZIPPED) throw refuse(dir, `it has more than ${megabytes(MOST_UNZIPPED)}, Lambda's limit`);
        // Only the executable bit says something about the code; the rest depends on the umask.
        files.push({ name, from, mode: (found.mode & 0o111) !== 0 ? 0o755 : 0o644 });
      } else {
        throw refuse(dir, `"${name}" is neither a file nor a folder`);
      }
    }
  };
  await walk(root, '', 0);
  if (files.length === 0) throw refuse(dir, 'it holds no file');
  return files.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}

async function realFolder(dir: string): Promise<string> {
  try {
    const root = await realpath(path.resolve(dir));
    if ((await stat(root)).isDirectory()) return root;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new SluiceError('SLUICE_NOT_FOUND', `there is no folder ${path.resolve(dir)} (release.folder)`);
  }
  throw new SluiceError('SLUICE_NOT_FOUND', `${path.resolve(dir)} is no folder (release.folder); a zip is release.zip`);
}

async function inside(root: string, at: string, dir: string, name: string): Promise<string> {
  let real: string;
  try {
    real = await realpath(at);
  } catch {
    throw refuse(dir, `symlink "${name}" leads nowhere`);
  }
  if (real.startsWith(root + path.sep)) return real;
  // One that leads to the folder itself would never end, one that leads out would pack somebody else's files.
  throw refuse(dir, `symlink "${name}" leads out of it, to ${real}`);
}

function refuse(dir: string, why: string): SluiceError {
  return new SluiceError('SLUICE_ARTIFACT', `the folder ${path.resolve(dir)} cannot be packed: ${why}`);
}
