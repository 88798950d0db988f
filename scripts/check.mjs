#!/usr/bin/env node
/** `npm run check`: format and lint, floating promises, types, layers, unused code. All of them run, even when one fails. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { ROOT, ready } from './setup.mjs';

const CHECKS = [
  ['format and lint', 'biome', ['ci', '--error-on-warnings', '.']],
  ['types', 'tsc', ['--noEmit', '-p', 'tsconfig.json']],
  ['promises', 'eslint', ['.']],
  ['layers', 'depcruise', ['--config', '.dependency-cruiser.cjs', 'src', 'workflows', 'activities', 'emulators']],
  ['unused code', 'knip', []],
];

if (!(await ready())) process.exit(1);
const failed = [];
for (const [name, program, args] of CHECKS) {
  const { status } = spawnSync(path.join(ROOT, 'node_modules', '.bin', program), args, { stdio: 'inherit', cwd: ROOT });
  process.stdout.write(`${status === 0 ? '✔' : '✖'} ${name}\n`);
  if (status !== 0) failed.push(name);
}
process.stdout.write(`checks: ${CHECKS.length - failed.length} passed, ${failed.length} failed\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
