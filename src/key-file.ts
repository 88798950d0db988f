/** Where a person's own key is: making it, and reading it. */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { type KeyFile, newKey, type Signer, signerOf } from './access/index.js';
import { SluiceError } from './model/errors.js';
import { utf8 } from './model/text.js';

type Env = Record<string, string | undefined>;

/** Rights of anyone but the owner. */
const OTHERS = 0o077;

/** SLUICE_KEY, else in the user's configuration folder. Null when there is no home. */
export function keyPlace(env: Env): string | null {
  if (env.SLUICE_KEY !== undefined && env.SLUICE_KEY !== '') return env.SLUICE_KEY;
  const home = absolute(env.HOME);
  const folder = absolute(env.XDG_CONFIG_HOME) ?? (home === null ? null : path.join(home, '.config'));
  return folder === null ? null : path.join(folder, 'sluice', 'key.json');
}

/** The XDG Base Directory Specification: empty is not set, relative is ignored. A key would be written where one happens to stand. */
function absolute(folder: string | undefined): string | null {
  return folder !== undefined && path.isAbsolute(folder) ? folder : null;
}

/** The file's content; null if there is none. Errors: SLUICE_SETUP for a file that cannot be used or that others can read. */
export function readKey(place: string): KeyFile | null {
  const bytes = bytesOf(place);
  if (bytes === null) return null;
  try {
    const { name, public: known, private: secret } = JSON.parse(utf8(bytes) ?? '') as KeyFile;
    if ([name, known, secret].every((each) => typeof each === 'string'))
      return { name, public: known, private: secret };
  } catch {
    // Said below; what is in the file is nobody's business.
  }
  throw new SluiceError(
    'SLUICE_SETUP',
    `${place} is not a Sluice key; \`sluice key --new\` creates one and keeps this file`,
  );
}

function bytesOf(place: string): Uint8Array | null {
  let file: number;
  try {
    // A pipe that nobody writes to would be waited for.
    file = openSync(place, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw setup(`the key ${place} cannot be read (${code})`);
    if (lstatSync(place, { throwIfNoEntry: false }) === undefined) return null;
    throw setup(`the key ${place} is a link to a file that does not exist; restore the file or remove the link`);
  }
  try {
    const found = fstatSync(file);
    if (!found.isFile()) throw setup(`the key ${place} is not a file; set SLUICE_KEY to a file`);
    // Windows has no such rights.
    if (process.platform !== 'win32' && (found.mode & OTHERS) !== 0) {
      throw setup(`the key ${place} can be read by other users; run chmod 600 ${place}`);
    }
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

/** Makes a key, readable by its owner alone. A file that is there is kept beside it. Errors: SLUICE_SETUP. */
export async function writeKey(place: string, name: string): Promise<KeyFile> {
  const file = newKey(name);
  try {
    mkdirSync(path.dirname(place), { recursive: true, mode: 0o700 });
    const old = lstatSync(place, { throwIfNoEntry: false });
    if (old?.isFile() === false && !old.isSymbolicLink()) {
      throw setup(`the key ${place} is not a file; set SLUICE_KEY to a file`);
    }
    if (old !== undefined) renameSync(place, `${place}.${Date.now()}`);
    writeFileSync(place, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw setup(`the key ${place} cannot be written (${code}); set SLUICE_KEY to another file`);
  }
  return file;
}

function setup(message: string): SluiceError {
  return new SluiceError('SLUICE_SETUP', message);
}

/** Who signs; null when there is no key, and then nothing is signed. Errors: SLUICE_SETUP for one that cannot be used. */
export async function readSigner(env: Env): Promise<Signer | null> {
  const place = keyPlace(env);
  const file = place === null ? null : readKey(place);
  if (file === null) {
    if (env.SLUICE_KEY === undefined || env.SLUICE_KEY === '') return null;
    throw new SluiceError(
      'SLUICE_SETUP',
      `SLUICE_KEY names ${env.SLUICE_KEY}, which does not exist; \`sluice key\` creates it`,
    );
  }
  return signerOf(file).catch(() => {
    throw new SluiceError(
      'SLUICE_SETUP',
      `${place} is not a Sluice key; \`sluice key --new\` creates one and keeps this file`,
    );
  });
}
