/** Programs that npm and PyPI cannot bring, for `npm run test:services`. */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** The path of the first of `names` that is on PATH and runs; null when none does. */
export function onPath(names, env) {
  const folders = (env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '');
  return names.flatMap((name) => folders.map((folder) => path.join(folder, name))).find(runs) ?? null;
}

export function runs(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
