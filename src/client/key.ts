/** Where a person's own key is, and reading it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type KeyFile, type Signer, signerOf } from '../access/index.js';
import { SluiceError } from '../model/errors.js';

type Env = Record<string, string | undefined>;

/** Where a person's key is: SLUICE_KEY, else in the configuration folder of the user. Null when there is no home. */
export function keyPlace(env: Env): string | null {
  if (env.SLUICE_KEY !== undefined && env.SLUICE_KEY !== '') return env.SLUICE_KEY;
  const home = env.XDG_CONFIG_HOME ?? (env.HOME === undefined ? undefined : path.join(env.HOME, '.config'));
  return home === undefined ? null : path.join(home, 'sluice', 'key.json');
}

/** The key of whoever runs this. Null when there is none; then nothing is signed. Errors: SLUICE_SETUP for one that cannot be used. */
export async function readSigner(env: Env): Promise<Signer | null> {
  const place = keyPlace(env);
  if (place === null) return null;
  let text: string;
  try {
    text = readFileSync(place, 'utf8');
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && env.SLUICE_KEY === undefined) return null;
    throw new SluiceError('SLUICE_SETUP', `the key ${place} cannot be read (${code}); \`sluice key\` makes one`);
  }
  try {
    return await signerOf(JSON.parse(text) as KeyFile);
  } catch {
    throw new SluiceError('SLUICE_SETUP', `${place} holds no key of Sluice; \`sluice key\` makes one`);
  }
}
