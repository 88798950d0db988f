/** Where a person's own key is: making it, and reading it. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type KeyFile, newKey, type Signer, signerOf } from './access/index.js';
import { SluiceError } from './model/errors.js';

type Env = Record<string, string | undefined>;

/** SLUICE_KEY, else in the user's configuration folder. Null when there is no home. */
export function keyPlace(env: Env): string | null {
  if (env.SLUICE_KEY !== undefined && env.SLUICE_KEY !== '') return env.SLUICE_KEY;
  const home = env.XDG_CONFIG_HOME ?? (env.HOME === undefined ? undefined : path.join(env.HOME, '.config'));
  return home === undefined ? null : path.join(home, 'sluice', 'key.json');
}

/** What is in the file; null when there is none. Errors: SLUICE_SETUP for one that cannot be used. */
export function readKey(place: string): KeyFile | null {
  let text: string;
  try {
    text = readFileSync(place, 'utf8');
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw new SluiceError('SLUICE_SETUP', `the key ${place} cannot be read (${code})`);
  }
  try {
    const { name, public: known, private: secret } = JSON.parse(text) as KeyFile;
    if ([name, known, secret].every((each) => typeof each === 'string'))
      return { name, public: known, private: secret };
  } catch {
    // Said below; what is in the file is nobody's business.
  }
  throw new SluiceError(
    'SLUICE_SETUP',
    `${place} holds no key of Sluice; \`sluice key --new\` makes one and keeps the file`,
  );
}

/** Makes a key, readable by its owner alone. A file that is there is kept beside it. */
export async function writeKey(place: string, name: string): Promise<KeyFile> {
  const file = newKey(name);
  mkdirSync(path.dirname(place), { recursive: true, mode: 0o700 });
  if (existsSync(place)) renameSync(place, `${place}.${Date.now()}`);
  writeFileSync(place, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  return file;
}

/** Who signs; null when there is no key, and then nothing is signed. Errors: SLUICE_SETUP for one that cannot be used. */
export async function readSigner(env: Env): Promise<Signer | null> {
  const place = keyPlace(env);
  const file = place === null ? null : readKey(place);
  if (file === null) {
    if (env.SLUICE_KEY === undefined || env.SLUICE_KEY === '') return null;
    throw new SluiceError(
      'SLUICE_SETUP',
      `SLUICE_KEY names ${env.SLUICE_KEY}, and there is no such file; \`sluice key\` makes it`,
    );
  }
  return signerOf(file).catch(() => {
    throw new SluiceError(
      'SLUICE_SETUP',
      `${place} holds no key of Sluice; \`sluice key --new\` makes one and keeps the file`,
    );
  });
}
