/**
 * Where the set-up puts things: in a clone below one git-ignored folder of it (all but node_modules/ and dist/), for an
 * installed package below the user's cache, since an install may be read-only and the next one would delete it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone or the installed package that these scripts belong to. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The folder for tools and logs. `emulators/tools.ts` finds the tools in the same place. */
export function homeOf(root, env = process.env) {
  // A package holds no sources.
  if (existsSync(path.join(root, 'tsconfig.json'))) return path.join(root, '.sluice');
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  return path.join(env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'sluice', version);
}

/** The places of a clone or of an installed package. */
export function places(root = ROOT) {
  const home = homeOf(root);
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
