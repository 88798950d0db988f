/**
 * `npm run chaos -- --rounds N --seed S --platform P --parallel L --output json`: as many rounds as asked for, in L lanes
 * side by side, each on a server, cloud and workers of its own. Exit 1 on a violation, and when a lane breaks.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Ground, OnWrite } from './ground.js';
import { appServiceGround } from './grounds/app-service.js';
import { lambdaGround } from './grounds/lambda.js';
import { Random } from './random.js';
import { sum, table, violationsOf } from './report.js';
import { drawRound, FIRST, type Finished, playRound, type Round, WriteGate } from './rounds.js';
import { startWorld } from './world.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    platform: { type: 'string', default: 'lambda' },
    parallel: { type: 'string', default: '6' },
    output: { type: 'string', default: 'text' },
  },
});

/** Longest wait for a lane's servers to end, in ms; what has not ended by then is killed with this process. */
const END_WITHIN = 60_000;

const GROUNDS: Record<string, { start: (onWrite: OnWrite) => Promise<Ground>; swaps: boolean }> = {
  lambda: { start: lambdaGround, swaps: false },
  'app-service': { start: appServiceGround, swaps: true },
};
const [rounds, seed, parallel] = [values.rounds, values.seed, values.parallel].map(Number) as [number, number, number];
const ground = GROUNDS[values.platform];
const counts = [rounds, parallel].every((each) => Number.isInteger(each) && each > 0);
if (!counts || !Number.isInteger(seed) || ground === undefined) {
  process.stderr.write(
    `usage: npm run chaos -- --rounds N --seed S [--platform ${Object.keys(GROUNDS).join('|')}] [--parallel LANES] [--output json]   (whole numbers)\n`,
  );
  process.exit(2);
}

const random = new Random(seed);
const waiting: Round[] = Array.from({ length: rounds }, (_, at) => drawRound(random, at + 1, ground.swaps));
const finished: Finished[] = [];
const broken: string[] = [];
const began = Date.now();

/** Plays rounds until none waits, or another lane broke. */
async function lane(name: string, startGround: (onWrite: OnWrite) => Promise<Ground>): Promise<void> {
  const folder = path.resolve('.sluice', 'chaos', String(process.pid), name);
  const examples = path.join(folder, 'examples');
  const gate = new WriteGate();
  const world = await startWorld(folder, () => startGround(gate.onWrite));
  try {
    world.ground.writeExamples(examples);
    const first = await playRound(world, FIRST, examples, gate);
    if (first.violations.length > 0)
      throw new Error(`the first release did not go out: ${first.violations.join('; ')}`);
    world.traffic.start();
    for (let round = waiting.shift(); round !== undefined && broken.length === 0; round = waiting.shift()) {
      const done = await playRound(world, round, examples, gate);
      // The write that a blow waited for never came: the round is played again, with one that needs none.
      if (done.kills + done.freezes === 0 && done.violations.length === 0) {
        waiting.push({ ...round, kind: 'crashWorker', phase: 'deploying' });
        continue;
      }
      finished.push(done);
      process.stderr.write(`${lineOf(done)}\n`);
    }
  } finally {
    const late = new Promise<void>((resolve) => setTimeout(resolve, END_WITHIN).unref());
    await Promise.race([world.stop(), late]);
  }
}

function lineOf({ round, outcome, seconds, violations }: Finished): string {
  const { number, strategy, good, kind, fault = '', phase } = round;
  const what = `${strategy.padEnd(10)} ${good ? 'good' : 'bad '} ${kind.padEnd(16)} ${fault.padEnd(11)} ${phase.padEnd(10)}`;
  const found = violations.map((violation) => `\n     VIOLATION ${violation}`).join('');
  return `${String(number).padStart(4)} ${what} → ${outcome} in ${seconds.toFixed(1)} s${found}`;
}

const lanes = Array.from({ length: Math.min(parallel, rounds) }, (_, at) =>
  lane(`lane-${at + 1}`, ground.start).catch((error: unknown) => {
    broken.push(`lane ${at + 1} broke: ${error instanceof Error ? error.message : String(error)}`);
    process.stderr.write(`${broken.at(-1)}\n`);
  }),
);
await Promise.all(lanes);

const violations = violationsOf(finished);
const seconds = Math.round((Date.now() - began) / 1000);
process.stderr.write(`\n${table(finished).join('\n')}\n`);
process.stdout.write(
  `${JSON.stringify({
    platform: values.platform,
    seed,
    rounds: finished.length,
    kills: sum(finished, 'kills'),
    freezes: sum(finished, 'freezes'),
    faults: sum(finished, 'faults'),
    violations,
    broken: broken.length,
    seconds,
  })}\n`,
);
process.exitCode = violations === 0 && broken.length === 0 && finished.length === rounds ? 0 : 1;
// Whatever still holds on ends with this process.
setTimeout(() => process.exit(), END_WITHIN).unref();
