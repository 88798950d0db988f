/** What a package holds is what runs. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Packed, packFolder, packZip } from '../../../src/artifact/index.js';
import type { Artifact } from '../../../src/model/spec.js';
import { packingOf } from '../../../src/platforms/registry.js';
import { call, ROLE } from '../../emulators/aws/functions.js';
import { context, type Stack, startStack } from './stack.js';

const RULES = packingOf('lambda');

let home: string;
let stack: Stack;
beforeAll(async () => {
  home = mkdtempSync(path.join(tmpdir(), 'sluice-packages-'));
  stack = await startStack();
});
afterAll(async () => {
  rmSync(home, { recursive: true, force: true });
  await stack?.stop();
});

/** A folder with these files; a value that begins with `->` is a link. */
function folder(name: string, files: Record<string, string>): string {
  const dir = path.join(home, name);
  for (const [file, text] of Object.entries(files)) {
    const at = path.join(dir, file);
    mkdirSync(path.dirname(at), { recursive: true });
    if (text.startsWith('->')) symlinkSync(text.slice(2), at);
    else writeFileSync(at, text, { mode: text.startsWith('#!') ? 0o755 : 0o644 });
  }
  return dir;
}

/** Puts a package where the driver finds it. */
const kept = (packed: Packed) => stack.artifacts.put(packed);

/** Deploys a package as a function of its own and calls the version. */
async function answerOf(fn: string, artifact: Artifact): Promise<unknown> {
  const configuration = { runtime: 'nodejs20.x', handler: 'index.handler', role: ROLE };
  const spec = stack.spec(fn, { release: { artifact }, configuration });
  const { before, findings } = await stack.driver.inspect(context(), spec);
  expect(findings.filter(({ level }) => level === 'refuse')).toEqual([]);
  const { release } = await stack.driver.deploy(context(), {
    spec,
    before,
    mark: `sluice:${fn}/production:run:deploy`,
  });
  return (await call(stack.lambda, fn, release.version)).body;
}

test("pnpm's node_modules run as they were packed, and so does a program in .bin", async () => {
  const number = 'node_modules/.pnpm/is-number@6.0.0/node_modules/is-number';
  const odd = 'node_modules/.pnpm/is-odd@3.0.1/node_modules';
  const dir = folder('pnpm', {
    'index.js': `
const odd = require('is-odd');
const run = require('node:child_process').execFileSync;
exports.handler = async () => [odd(3), run(__dirname + '/node_modules/.bin/tool', { encoding: 'utf8' }).trim()];`,
    [`${number}/index.js`]: 'module.exports = (value) => typeof value === "number";',
    [`${odd}/is-odd/index.js`]:
      'const number = require("is-number"); module.exports = (v) => number(v) && v % 2 === 1;',
    [`${odd}/is-number`]: '->../../is-number@6.0.0/node_modules/is-number',
    'node_modules/is-odd': '->.pnpm/is-odd@3.0.1/node_modules/is-odd',
    'node_modules/tool/lib.js': 'module.exports = "from lib";',
    'node_modules/tool/cli.js': '#!/usr/bin/env node\nconsole.log(require("./lib"));',
    'node_modules/.bin/tool': '->../tool/cli.js',
    layer: '->/opt/not-here',
  });
  expect(await answerOf('pnpm', await kept(await packFolder(dir, RULES)))).toEqual([true, 'from lib']);
});

test('a zip with a zip64 end runs, and so does one with a prefix', async () => {
  const dir = folder('zipped', { 'index.js': 'exports.handler = async () => "ran";' });
  execFileSync('zip', ['-q', '-fz', '-r', '../plain.zip', '.'], { cwd: dir });
  execFileSync('sh', ['-c', "printf '#!/bin/sh\\nexit\\n' | cat - plain.zip > prefixed.zip"], { cwd: home });
  for (const name of ['plain', 'prefixed']) {
    const artifact = await kept(await packZip(path.join(home, `${name}.zip`), RULES));
    expect(await answerOf(name, artifact)).toBe('ran');
  }
});
