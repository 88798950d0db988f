import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../support/tools.js';
import { play } from './fake.js';

const VERSION = (JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string }).version;

/** Writes the CommonJS modules a process has loaded to stderr as it ends; the Temporal SDK is CommonJS. */
const SPY = `import Module from 'node:module';
process.on('exit', () => process.stderr.write(Object.keys(Module._cache).join('\\n')));`;

test('`sluice --version` answers without loading any package', async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    '--import',
    `data:text/javascript,${encodeURIComponent(SPY)}`,
    path.join(ROOT, 'bin', 'sluice.mjs'),
    '--version',
  ]);
  expect(stdout).toBe(`${VERSION}\n`);
  expect(stderr).not.toContain('node_modules');
});

test('the program itself gives the same answer', async () => {
  expect((await play(['--version'])).out).toBe(`${VERSION}\n`);
});

describe('the main module', () => {
  const loaded = packagesOf(path.join(ROOT, 'src', 'cli', 'main.ts'));

  test('loads the command-line parser', () => {
    expect(loaded).toContain('commander');
  });

  test.each(['@temporalio/client', 'zod', 'yaml', 'log-update', '@temporalio/worker'])('does not load %s', (name) => {
    expect(loaded).not.toContain(name);
  });
});

/** Packages that are loaded with a source file: by its value imports, followed; `import()` is not loading yet. */
function packagesOf(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  const found: string[] = [];
  const text = readFileSync(file, 'utf8');
  for (const [, clause = '', from = ''] of text.matchAll(/^(?:import|export)\s([^;]*?)from\s'([^']+)';/gms)) {
    if (/^type\s/.test(clause)) continue;
    if (from.startsWith('.')) {
      found.push(...packagesOf(path.resolve(path.dirname(file), from.replace(/\.js$/, '.ts')), seen));
    } else found.push(from);
  }
  return found;
}
