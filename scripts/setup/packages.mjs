/** Step: what package-lock.json names is in node_modules/. */
import { existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { run } from './child.mjs';

export function packages(at) {
  return {
    name: 'packages',
    does: 'installs the packages (npm ci)',
    fresh: () => isInstalled(at) && hasEntry(link(at)),
    async work() {
      if (!isInstalled(at)) {
        // Without install scripts: none is needed (the native parts come built), and newer npm asks before it runs any.
        await run(at, 'packages', 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
      }
      linkCommand(at);
    },
  };
}

/**
 * Whether `installed` (npm's own record in node_modules/.package-lock.json) has everything that the lock file names.
 * npm writes that record last, so an install that was cut short has none. Optional packages may be for another machine.
 */
export function covers(lock, installed) {
  return Object.entries(lock.packages ?? {}).every(
    ([name, wanted]) =>
      name === '' || wanted.optional === true || installed.packages?.[name]?.version === wanted.version,
  );
}

function isInstalled(at) {
  const record = path.join(at.modules, '.package-lock.json');
  if (!existsSync(record)) return false;
  const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
  return covers(read(path.join(at.root, 'package-lock.json')), read(record));
}

function link(at) {
  return path.join(at.modules, '.bin', 'sluice');
}

/** npm links no package's commands into itself; so `npx sluice` would look for one at the registry. */
function linkCommand(at) {
  if (hasEntry(link(at))) return;
  mkdirSync(path.dirname(link(at)), { recursive: true });
  symlinkSync(path.join('..', '..', 'bin', 'sluice.mjs'), link(at));
}

function hasEntry(file) {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}
