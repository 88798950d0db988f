/** Files below one folder of the worker, as orchestrators mount them. */
import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import path from 'node:path';
import { SluiceError } from '../../model/errors.js';
import { formatReference, type SecretReference } from '../../model/secrets.js';
import { utf8 } from '../../model/text.js';
import { missing, type SecretStore } from '../store.js';

/** Bytes of a file that may be a secret. */
const MOST_BYTES = 64 * 1024;

/** `SLUICE_SECRET_DIR` is the folder; what links lead out of it is not read. A newline at the end of a file is left out. */
export function fileStore(env: NodeJS.ProcessEnv): SecretStore {
  const folder = env.SLUICE_SECRET_DIR ?? '';
  return {
    read: async (reference) => {
      if (folder === '') {
        throw refused(reference, 'this worker has no secrets folder', 'set SLUICE_SECRET_DIR');
      }
      const text = await readBelow(folder, reference);
      return { value: text.replace(/\r?\n$/, ''), version: null };
    },
  };
}

async function readBelow(folder: string, reference: SecretReference): Promise<string> {
  try {
    const [root, file] = await Promise.all([realpath(folder), realpath(path.join(folder, reference.name))]);
    const below = path.relative(root, file);
    // Orchestrators mount into folders named `..data`.
    if (below.split(path.sep)[0] === '..' || path.isAbsolute(below)) {
      throw refused(
        reference,
        'the file is a link that leads out of the secrets folder',
        'put it below SLUICE_SECRET_DIR',
      );
    }
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const found = await handle.stat();
      if (found.isDirectory()) throw refused(reference, 'it is a folder', 'name a file in it');
      const { size } = found;
      if (size > MOST_BYTES)
        throw refused(reference, `the file has ${size} bytes`, `a secret has at most ${MOST_BYTES}`);
      const text = utf8(await handle.readFile());
      if (text === null) throw refused(reference, 'the file is not UTF-8 text', 'store it as base64');
      return text;
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    const { code = 'it cannot be read' } = error as NodeJS.ErrnoException;
    if (code === 'EACCES') {
      throw new SluiceError(
        'SLUICE_PERMISSION',
        `${formatReference(reference)}: the worker may not read the file; let its user read it`,
      );
    }
    throw missing(
      reference,
      `the file does not exist in the secrets folder (${code})`,
      'create it where the worker runs',
    );
  }
}

function refused(reference: SecretReference, what: string, cure: string): SluiceError {
  return new SluiceError('SLUICE_SECRET', `${formatReference(reference)}: ${what}; ${cure}`);
}
