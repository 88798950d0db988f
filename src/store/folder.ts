/** A folder as a store: the default on one machine, and a mounted one for a worker in a container. */
import { randomUUID } from 'node:crypto';
import { chmod, link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { SluiceError } from '../model/errors.js';
import { Late, longest, WAITS, type Waits, within } from './deadline.js';
import { readWhole, seenAt } from './files.js';
import type { ObjectStore, Stored } from './port.js';

/** Permissions of folders and files: for the user alone, or for all of the folder's group. */
const MODES = {
  private: { folder: 0o700, file: 0o400 },
  // With the set-group-id bit what is made in a folder belongs to the folder's group, whoever makes it.
  group: { folder: 0o2770, file: 0o440 },
};

type Named = <T>(work: () => Promise<T>, bytes?: number) => Promise<T>;

/** What is being written has this name until it is whole. */
const UNFINISHED = '.unfinished';

/** `group`: whoever is in the folder's group may use it too. Else it is private to its user. */
export function folderStore({ folder, group }: { folder: string; group: boolean }, waits: Waits = WAITS): ObjectStore {
  /** A mounted folder may hang. What was begun then goes on, and nobody waits for it. `bytes`: so many are carried. */
  const named = <T>(work: () => Promise<T>, bytes = 0) => inOurWords(folder, () => within(longest(waits, bytes), work));
  const modes = group ? MODES.group : MODES.private;
  const fileOf = (key: string) => path.join(folder, ...key.split('/'));
  return {
    address: folder,

    async create(key, bytes) {
      const file = fileOf(key);
      return named(async () => {
        await makeFolders(folder, path.dirname(file), modes.folder);
        const aside = `${file}.${randomUUID()}${UNFINISHED}`;
        try {
          await write(aside, bytes, modes.file);
          // A link is made whole or not at all, and never over another file.
          await link(aside, file);
          return true;
        } catch (error) {
          if (codeOf(error) === 'EEXIST') return false;
          throw error;
        } finally {
          await rm(aside, { force: true });
        }
      }, bytes.length);
    },

    read: (key, most) => named(() => readWhole(folder, fileOf(key), most), most),

    move: (key, to, { tag }) =>
      named(async () => {
        const [from, aside] = [fileOf(key), fileOf(to)];
        if ((await seenAt(from))?.tag !== tag) return false;
        await makeFolders(folder, path.dirname(aside), modes.folder);
        await rename(from, aside).catch(unlessGone);
        if ((await seenAt(aside))?.tag === tag) return true;
        // Meanwhile someone has moved what was seen and put this there: it goes back, unless there is yet another one.
        await link(aside, from).catch(unlessThere);
        await rm(aside, { force: true });
        return false;
      }),

    list: (prefix) => filesBelow(folder, prefix, named),

    remove: (key) => named(() => rm(fileOf(key), { force: true })),

    inS3: async () => null,
  };
}

async function write(file: string, bytes: Uint8Array, mode: number): Promise<void> {
  const handle = await open(file, 'wx', mode);
  try {
    await handle.writeFile(bytes);
    // The user's umask would take the group's right away.
    await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes what is missing of a path, with exactly these permissions in the store; what is there is left as it is. */
async function makeFolders(root: string, folder: string, mode: number): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  const highest = Math.max(root.length, first.length);
  for (let made = folder; made.length >= highest; made = path.dirname(made)) {
    await chmod(made, mode).catch((error: unknown) => {
      // Someone else in the group has made it at the same moment.
      if (codeOf(error) !== 'EPERM') throw error;
    });
  }
}

async function* filesBelow(root: string, prefix: string, named: Named): AsyncGenerator<Stored> {
  const from = path.join(root, path.dirname(`${prefix}x`));
  const entries = await named(() => readdir(from, { recursive: true, withFileTypes: true }).catch(unlessGone));
  for (const entry of entries ?? []) {
    if (!entry.isFile() || entry.name.endsWith(UNFINISHED)) continue;
    const file = path.join(entry.parentPath, entry.name);
    const key = path.relative(root, file).split(path.sep).join('/');
    if (!key.startsWith(prefix)) continue;
    const found = await named(() => stat(file).catch(unlessGone));
    if (found !== undefined) yield { key, bytes: found.size, at: found.mtimeMs };
  }
}

/** A refusal of the file system, in our words. */
async function inOurWords<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    if (error instanceof Late) {
      throw new SluiceError('SLUICE_PROVIDER', `the artifact store ${folder} does not answer: ${error.message}`);
    }
    const code = codeOf(error);
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
      throw new SluiceError(
        'SLUICE_PERMISSION',
        `the artifact store ${folder} cannot be used (${code}); let this user read and write there, or add ?mode=group to SLUICE_STORE and share its group`,
      );
    }
    throw new SluiceError('SLUICE_PROVIDER', `the artifact store ${folder} cannot be used (${code})`);
  }
}

function unlessThere(error: unknown): void {
  if (codeOf(error) !== 'EEXIST' && codeOf(error) !== 'ENOENT') throw error;
}

function unlessGone(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
