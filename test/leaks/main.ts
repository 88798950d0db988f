/** `npm run leaks -- [--all] [--inject] [--output json]`: exit 1 when a value shows where it must not, or a leak on purpose is missed. */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { inject } from './inject.js';
import { playRound, type Result } from './round.js';
import { lanesOf } from './scenarios.js';
import { startWorld } from './world.js';

const { values } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    inject: { type: 'boolean', default: false },
    output: { type: 'string', default: 'text' },
  },
});

const say = (line: string) => process.stdout.write(`${line}\n`);
const folder = path.resolve('.sluice', 'leaks', String(process.pid));
const world = await startWorld(folder);
try {
  if (values.inject) {
    const injected = await inject(world);
    for (const { place, form } of injected) say(`${place.padEnd(20)} ${form === null ? 'MISSED' : `found as ${form}`}`);
    const found = injected.filter(({ form }) => form !== null).length;
    say(JSON.stringify({ places: injected.length, found }));
    process.exitCode = found === injected.length ? 0 : 1;
  } else {
    const result = await playRound(world, lanesOf(values.all));
    table(result);
    const { played, places, leaks, faults } = result;
    say(JSON.stringify({ scenarios: played.length, places: places.length, hits: leaks.length }));
    process.exitCode = leaks.length === 0 && faults.length === 0 ? 0 : 1;
  }
} finally {
  await world.stop();
}

/** What was played and searched, and what was found; never a value. */
function table({ played, places, leaks, faults }: Result): void {
  for (const { scenario, seconds } of played) say(`${scenario.padEnd(40)} ${seconds.toFixed(1).padStart(6)} s`);
  for (const { place, pieces, bytes } of places)
    say(`${place.padEnd(20)} ${String(pieces).padStart(7)} pieces ${String(Math.ceil(bytes / 1024)).padStart(7)} KB`);
  for (const { scenario, place, where, mark, form } of leaks)
    say(`LEAK ${scenario ?? 'some scenario'}: ${place} (${where}) holds ${mark} as ${form}`);
  for (const fault of faults) say(`FAULT ${fault}`);
}
