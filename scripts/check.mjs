/** `npm run check [-- --json FILE]`: every check runs, even when one fails; it fails when any did. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT, ready } from './setup.mjs';

const CHECKS = [
  { name: 'format and lint', command: ['biome', 'ci', '--colors=off', '--error-on-warnings', '.'] },
  { name: 'floating promises', command: ['eslint', '.'] },
  { name: 'types', command: ['tsc', '--noEmit', '-p', 'tsconfig.json'] },
  {
    name: 'layers',
    command: ['depcruise', '--config', '.dependency-cruiser.cjs', 'src', 'workflows', 'activities', 'emulators'],
  },
  { name: 'unused code', command: ['knip'] },
];

const { values } = parseArgs({ options: { json: { type: 'string' } } });
if (!(await ready('check'))) process.exit(1);

const results = [];
const waiting = [...CHECKS];
async function lane() {
  for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
    const begin = Date.now();
    const { ok, said } = await play(check.command);
    results.push({ name: check.name, ok });
    const seconds = ((Date.now() - begin) / 1000).toFixed(1);
    // What a passing check says is noise; `> command` is how to run it alone.
    process.stdout.write(
      ok
        ? `✔ ${check.name} (${seconds} s)\n`
        : `${said.trim()}\n✖ ${check.name} (${seconds} s)  > npx ${check.command.join(' ')}\n`,
    );
  }
}
await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, lane));

const failed = results.filter(({ ok }) => !ok);
process.stdout.write(
  `checks: ${results.length - failed.length} passed, ${failed.length} failed${failed.map(({ name }) => `, ${name}`).join('')}\n`,
);
if (values.json !== undefined) {
  mkdirSync(path.dirname(path.resolve(values.json)), { recursive: true });
  writeFileSync(values.json, JSON.stringify(results));
}
process.exitCode = failed.length === 0 ? 0 : 1;

/** Runs one of the project's own programs and keeps what it says. */
function play([program, ...args]) {
  return new Promise((resolve) => {
    const command = path.join(ROOT, 'node_modules', '.bin', program);
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        said += chunk;
      });
    }
    child.once('error', (error) => resolve({ ok: false, said: error.message }));
    child.once('close', (code) => resolve({ ok: code === 0, said }));
  });
}
