import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { home, newEnough, projectRoot, toolPath } from '../../emulators/tools.js';
import { script } from '../setup/clone.js';
import { ROOT } from '../support/tools.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tools-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function temporalSaying(version: string, name: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\necho 'temporal version ${version} (Server 1.0.0, UI 2.0.0)'\n`);
  chmodSync(path, 0o755);
  return path;
}

test.each([
  ['temporal version 1.5.0 (Server 1.29.0)', true],
  ['temporal version 1.10.0', true],
  ['temporal version 2.0.0', true],
  ['temporal version 1.4.9', false],
  ['temporal version 0.13.2', false],
  ['no number', false],
])('%s is new enough: %s', (printed, expected) => {
  expect(newEnough(printed)).toBe(expected);
});

test('the root is the folder with package.json, also seen from a folder below it', () => {
  expect(existsSync(join(projectRoot(), 'package.json'))).toBe(true);
  expect(projectRoot(join(projectRoot(), 'dist', 'emulators'))).toBe(projectRoot());
});

test("tools are kept in a clone, or in the user's cache for an installed package, and the set-up agrees", async () => {
  const { homeOf } = await script<{ homeOf(root: string, env: NodeJS.ProcessEnv): string }>('setup/places.mjs');
  const installed = join(folder, 'installed');
  mkdirSync(installed);
  writeFileSync(join(installed, 'package.json'), '{ "version": "1.2.3" }');
  for (const find of [(root: string, env: NodeJS.ProcessEnv) => home(env, root), homeOf]) {
    expect(find(ROOT, {})).toBe(join(ROOT, '.sluice'));
    expect(find(installed, { XDG_CACHE_HOME: '/cache' })).toBe('/cache/sluice/1.2.3');
    expect(find(installed, {})).toBe(join(homedir(), '.cache', 'sluice', '1.2.3'));
  }
});

test('TEMPORAL_CLI is used first if it is new enough', () => {
  const path = temporalSaying('1.9.0', 'new');
  expect(toolPath('temporal', { TEMPORAL_CLI: path })).toBe(path);
});

test('a temporal on PATH is used if it is new enough, and skipped if it is old', () => {
  const onPath = temporalSaying('1.9.0', 'temporal');
  expect(toolPath('temporal', { PATH: folder })).toBe(onPath);
  temporalSaying('1.2.0', 'temporal');
  expect(toolPath('temporal', { PATH: folder })).toBe(join(projectRoot(), '.sluice', 'venv', 'bin', 'temporal'));
});

test('a missing tool is an error that says what to run', () => {
  expect(() => toolPath('no-such-tool' as 'ministack')).toThrow(/no-such-tool is not installed .*npm run setup/);
});
