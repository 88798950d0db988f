/** Where the set-up puts things: everything but node_modules/ and dist/ is below one git-ignored folder of the clone. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone these scripts belong to. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The places of a clone. */
export function places(root = ROOT) {
  const home = path.join(root, '.sluice');
  return {
    root,
    home,
    venv: path.join(home, 'venv'),
    /** Programs that tests and the demo start are looked for here, however they were got. */
    bin: path.join(home, 'venv', 'bin'),
    stamps: path.join(home, 'stamps'),
    logs: path.join(home, 'logs'),
    tmp: path.join(home, 'tmp', 'setup'),
    pipCache: path.join(home, 'cache', 'pip'),
    downloads: path.join(home, 'downloads'),
    dist: path.join(root, 'dist'),
    modules: path.join(root, 'node_modules'),
  };
}
