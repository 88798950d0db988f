/** Step: dist/ is what the sources say, and holds the workflows' bundle. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './child.mjs';
import { digestOf, dropStamp, isStamped, putStamp } from './stamp.mjs';

const SOURCES = [
  'src',
  'workflows',
  'activities',
  'emulators',
  'test/chaos',
  'test/leaks',
  'test/vectors',
  'test/support',
  'bench',
];
const SETTINGS = ['tsconfig.json', 'tsconfig.build.json', 'package.json', 'package-lock.json'];
/** What the compiler writes for one source. */
const WRITTEN = /\.(js|js\.map|d\.ts)$/;

export function build(at) {
  const digest = () => digestOf(at.root, [...SOURCES, ...SETTINGS]);
  const bundleFile = path.join(at.dist, 'workflow-bundle.js');
  const encryptedFile = path.join(at.dist, 'workflow-bundle-encrypted.js');
  return {
    name: 'build',
    does: 'builds (tsc, then the bundles of the workflows)',
    fresh: () => existsSync(bundleFile) && existsSync(encryptedFile) && isStamped(at, 'build', digest()),
    async work() {
      const is = digest();
      dropStamp(at, 'build');
      // The compiler believes its record and would write nothing into a dist/ that was deleted.
      if (!existsSync(at.dist)) rmSync(path.join(at.home, 'tsc', 'build.tsbuildinfo'), { force: true });
      await run(at, 'build', process.execPath, [
        path.join(at.modules, 'typescript', 'bin', 'tsc'),
        ...['-p', 'tsconfig.build.json', '--pretty', 'false'],
      ]);
      prune(at, '');
      const script = fileURLToPath(new URL('bundle.mjs', import.meta.url));
      const entry = path.join(at.dist, 'workflows', 'index.js');
      await run(at, 'build', process.execPath, [script, entry, bundleFile]);
      const converter = path.join(at.dist, 'src', 'codec', 'failure-converter.cjs');
      await run(at, 'build', process.execPath, [script, entry, encryptedFile, converter]);
      putStamp(at, 'build', is);
    },
  };
}

/** Takes away what was written for sources that are gone. */
function prune(at, folder) {
  for (const entry of readdirSync(path.join(at.dist, folder), { withFileTypes: true })) {
    const place = path.join(folder, entry.name);
    if (entry.isDirectory()) prune(at, place);
    else if (folder !== '' && WRITTEN.test(place) && !existsSync(path.join(at.root, place.replace(WRITTEN, '.ts')))) {
      rmSync(path.join(at.dist, place));
    }
  }
}
