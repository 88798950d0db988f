#!/usr/bin/env node
// The door only: the program is built into dist/ by the set-up.
import { existsSync, readFileSync } from 'node:fs';

const [first] = process.argv.slice(2);
const main = new URL('../dist/src/cli/main.js', import.meta.url);

if (first === '--version' || first === '-V') {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  process.stdout.write(`${version}\n`);
} else if (!existsSync(main)) {
  process.stderr.write('error SLUICE_SETUP: sluice is not built yet; run `npm run setup` in its folder\n');
  process.exitCode = 13;
} else {
  await (await import(main.href)).main(process.argv.slice(2));
}
