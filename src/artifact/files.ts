/** Reads a folder into the list of files, links and empty folders that a package holds. */
import { constants } from 'node:fs';
import { lstat, open, readdir, readlink, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { SluiceError } from '../model/errors.js';
import { megabytes, type PackingRules } from '../platforms/registry.js';
import { IGNORE_FILE, isWithin, type LeftOut, leftOutBy } from './ignored.js';
import { inPlace, insidePackage } from './links.js';
import { readRegular } from './regular.js';

/** One entry of a package. Names are written with `/`. */
export type Entry = PackedFile | PackedLink | EmptyFolder;

export interface PackedFile {
  kind: 'file';
  name: string;
  /** Where it is read from; for the copy of a link, what the link points to. */
  from: string;
  /** Its size. */
  bytes: number;
  /** Permission bits it gets in the zip. */
  mode: number;
}

export interface PackedLink {
  kind: 'link';
  name: string;
  /** What the link says, with `/`. */
  to: string;
}

export interface EmptyFolder {
  kind: 'folder';
  name: string;
}

export interface Listing {
  rules: PackingRules;
  /** Folders that are never packed, wherever they lie: the artifact store. */
  apart: readonly string[];
}

/** Most entries of a package; more are links that multiply each other. */
const MOST_ENTRIES = 1_000_000;
/** Most bytes of a .sluiceignore. */
const LONGEST_IGNORE = 1024 * 1024;

/**
 * What a package of `dir` contains, sorted by the names' bytes, so that the order does not depend on the file system or the
 * locale. Links stay or become copies, as the platform's rules say. Errors: SLUICE_NOT_FOUND if the folder does not exist,
 * SLUICE_ARTIFACT if it contains no file, is too large, or a link points outside the package or to nothing.
 */
export async function listFolder(dir: string, { rules, apart: folders }: Listing): Promise<Entry[]> {
  const root = await realFolder(dir);
  const leftOut = leftOutBy(await ignoreText(dir, root));
  const apart = await Promise.all(folders.map((store) => realpath(path.resolve(store)).catch(() => null)));
  const entries = await new Walk(dir, root, rules, leftOut, new Set(apart)).entries();
  if (!entries.some(({ kind }) => kind === 'file')) throw refuse(dir, 'it contains no file');
  return entries.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}

/** The bytes of a file that was listed, as they are read. Errors: SLUICE_ARTIFACT when it has become something else since. */
export async function openListed(dir: string, { name, from, bytes }: PackedFile): Promise<Readable> {
  // Opening a pipe would wait for its writer.
  const handle = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => null);
  const found = await handle?.stat();
  if (handle === null || found?.isFile() !== true || found.size !== bytes) {
    await handle?.close();
    throw changed(dir, name);
  }
  return handle.createReadStream();
}

/** The error for a file that is not any more what was listed. */
export function changed(dir: string, name: string): SluiceError {
  return refuse(dir, `"${name}" was changed while it was packed`);
}

class Walk {
  private readonly found: Entry[] = [];
  private bytes = 0;

  constructor(
    private readonly dir: string,
    private readonly root: string,
    private readonly rules: PackingRules,
    private readonly leftOut: LeftOut,
    private readonly apart: ReadonlySet<string | null>,
  ) {}

  async entries(): Promise<Entry[]> {
    await this.folder(this.root, '', [this.root]);
    return this.found;
  }

  /** `above`: the real folders that this one is in, and itself. */
  private async folder(at: string, prefix: string, above: readonly string[]): Promise<void> {
    for (const each of await readdir(at)) {
      const [name, from] = [prefix + each, path.join(at, each)];
      const found = await lstat(from);
      if (found.isSymbolicLink()) await this.link(from, name, above);
      else if (found.isDirectory()) await this.inside(from, name, above);
      else if (!this.leftOut(name, 'file')) this.file(from, name, found);
    }
  }

  private async inside(at: string, name: string, above: readonly string[]): Promise<void> {
    if (this.leftOut(name, 'folder') || this.apart.has(at)) return;
    const before = this.found.length;
    await this.folder(at, `${name}/`, [...above, at]);
    if (this.found.length === before) this.add({ kind: 'folder', name });
  }

  private file(from: string, name: string, found: { isFile(): boolean; size: number; mode: number }): void {
    if (!found.isFile()) throw refuse(this.dir, `"${name}" is neither a file nor a folder`);
    const { platform, mostUnzipped } = this.rules;
    this.bytes += found.size;
    if (this.bytes > mostUnzipped)
      throw refuse(this.dir, `it has more than ${megabytes(mostUnzipped)}, the limit of ${platform}`);
    // Only the executable bit says something about the code; the rest depends on the umask.
    this.add({ kind: 'file', name, from, bytes: found.size, mode: (found.mode & 0o111) !== 0 ? 0o755 : 0o644 });
  }

  private async link(at: string, name: string, above: readonly string[]): Promise<void> {
    if (this.leftOut(name, 'file')) return;
    if (this.rules.links === 'copy') return this.copy(at, name, above);
    const to = (await readlink(at)).split(path.sep).join('/');
    const kept = await this.kept(at, name, to);
    const target = insidePackage(name, kept);
    if (target === null || this.has(target)) this.add({ kind: 'link', name, to: kept });
  }

  /** What the link says in the package. */
  private async kept(at: string, name: string, to: string): Promise<string> {
    const real = await realpath(at).catch(() => null);
    const leadsInside = real !== null && isWithin(this.root, real);
    if (leadsInside && insidePackage(name, to) !== null) return to;
    // It names a place of this machine, which no other one has.
    if (leadsInside) return path.relative(path.dirname(at), real).split(path.sep).join('/') || '.';
    if (path.posix.isAbsolute(to) && inPlace(to, this.rules)) return path.posix.normalize(to);
    throw this.astray(name);
  }

  /** What the link points to, in its place. */
  private async copy(at: string, name: string, above: readonly string[]): Promise<void> {
    const real = await realpath(at).catch(() => null);
    if (real === null || !isWithin(this.root, real)) throw this.astray(name);
    if (!this.has(path.relative(this.root, real).split(path.sep).join('/'))) return;
    const found = await stat(real);
    if (!found.isDirectory()) return this.file(real, name, found);
    if (above.includes(real)) throw refuse(this.dir, `link "${name}" points back to a folder that it is in`);
    await this.inside(real, name, above);
  }

  /** Whether a path of the folder is in the package: what is left out is left out by its links too. */
  private has(target: string): boolean {
    if (target === '') return true;
    const at = path.join(this.root, target);
    if ([...this.apart].some((store) => store !== null && isWithin(store, at))) return false;
    return !this.leftOut(target, 'folder') && !this.leftOut(target, 'file');
  }

  private add(entry: Entry): void {
    if (this.found.length >= MOST_ENTRIES) throw refuse(this.dir, `it holds more than ${MOST_ENTRIES} files`);
    this.found.push(entry);
  }

  /** The message does not reveal what is outside, only that it is not inside. */
  private astray(name: string): SluiceError {
    const { places, platform } = this.rules;
    const also = places.length === 0 ? '' : `, and not to ${places.join(', ')} of ${platform}`;
    return refuse(
      this.dir,
      `link "${name}" points outside it or to nothing${also}; put what it points to into the folder, or name it in ${IGNORE_FILE}`,
    );
  }
}

async function ignoreText(dir: string, root: string): Promise<string> {
  const special = () => refuse(dir, `${IGNORE_FILE} is not a regular file`);
  const large = () => refuse(dir, `${IGNORE_FILE} has more than ${megabytes(LONGEST_IGNORE)}`);
  try {
    return (await readRegular(path.join(root, IGNORE_FILE), LONGEST_IGNORE, { special, large })).toString('utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    if ((error as NodeJS.ErrnoException).code === 'ELOOP') throw special();
    throw error;
  }
}

async function realFolder(dir: string): Promise<string> {
  try {
    const root = await realpath(path.resolve(dir));
    if ((await stat(root)).isDirectory()) return root;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new SluiceError('SLUICE_NOT_FOUND', `there is no folder ${path.resolve(dir)} (release.folder)`);
  }
  throw new SluiceError(
    'SLUICE_NOT_FOUND',
    `${path.resolve(dir)} is not a folder (release.folder; for a zip use release.zip)`,
  );
}

function refuse(dir: string, why: string): SluiceError {
  return new SluiceError('SLUICE_ARTIFACT', `the folder ${path.resolve(dir)} cannot be packed: ${why}`);
}
