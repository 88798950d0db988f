import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { SluiceError } from '../model/errors.js';
import { locate, readRegular, type Within } from './place.js';
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
 * SLUICE_ARTIFACT when it is not `within`, empty, too large unzipped, or a symlink leads out of it.
 */
export async function listFiles(dir: string, within: Within): Promise<PackedFile[]> {
  const root = await realFolder(dir, within);
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

/** The bytes of a file that was listed. Errors: SLUICE_ARTIFACT when it has become something else since. */
export async function readListed(dir: string, { name, from }: PackedFile): Promise<Buffer> {
  const changed = () => refuse(dir, `"${name}" was changed while it was packed`);
  return readRegular(from, MOST_UNZIPPED, { special: changed, large: changed });
}

async function realFolder(dir: string, within: Within): Promise<string> {
  try {
    const root = await locate('release.folder', dir, within);
    if ((await stat(root)).isDirectory()) return root;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new SluiceError('SLUICE_NOT_FOUND', `there is no folder ${path.resolve(dir)} (release.folder)`);
  }
  throw new SluiceError('SLUICE_NOT_FOUND', `${path.resolve(dir)} is no folder (release.folder); a zip is release.zip`);
}

async function inside(root: string, at: string, dir: string, name: string): Promise<string> {
  const real = await realpath(at).catch(() => null);
  if (real?.startsWith(root + path.sep)) return real;
  // One that leads to the folder itself would never end, one that leads out would pack somebody else's files. What is out there
  // is not told.
  throw refuse(dir, `symlink "${name}" leads out of it, or nowhere`);
}

function refuse(dir: string, why: string): SluiceError {
  return new SluiceError('SLUICE_ARTIFACT', `the folder ${path.resolve(dir)} cannot be packed: ${why}`);
}
