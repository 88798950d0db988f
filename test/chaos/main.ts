/** `npm run chaos -- --rounds N --seed S --platform P --output json`: as many rounds as asked for, exit 1 on a violation. */
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Ground, OnWrite } from './ground.js';
import { appServiceGround } from './grounds/app-service.js';
import { lambdaGround } from './grounds/lambda.js';
import { Random } from './random.js';
import { drawRound, FIRST, type Finished, playRound, WriteGate } from './rounds.js';
import { startWorld } from './world.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    platform: { type: 'string', default: 'lambda' },
    output: { type: 'string', default: 'text' },
  },
});

const rounds = Number(values.rounds);
const seed = Number(values.seed);
const GROUNDS: Record<string, (onWrite: OnWrite) => Promise<Ground>> = {
  lambda: lambdaGround,
  'app-service': appServiceGround,
};
const startGround = GROUNDS[values.platform];
if (!Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(seed) || startGround === undefined) {
  process.stderr.write(
    `usage: npm run chaos -- --rounds N --seed S [--platform ${Object.keys(GROUNDS).join('|')}] [--output json]   (whole numbers)\n`,
  );
  process.exit(2);
}
const folder = path.resolve('.sluice', 'chaos', String(process.pid));
const examples = path.join(folder, 'examples');
const gate = new WriteGate();
const world = await startWorld(folder, () => startGround(gate.onWrite));
world.ground.writeExamples(examples);
const finished: Finished[] = [];
try {
  const random = new Random(seed);
  const first = await playRound(world, FIRST, examples, gate);
  if (first.violations.length > 0) throw new Error(`the first release did not go out: ${first.violations.join('; ')}`);
  world.traffic.start();
  for (let number = 1; number <= rounds; number += 1) {
    const done = await playRound(world, drawRound(random, number), examples, gate);
    finished.push(done);
    const { round } = done;
    process.stderr.write(
      `${String(number).padStart(4)} ${round.strategy.padEnd(10)} ${round.good ? 'good' : 'bad '} ${round.kind.padEnd(16)} ${round.phase.padEnd(10)} → ${done.outcome} in ${done.seconds.toFixed(1)} s${done.violations.map((v) => `\n     VIOLATION ${v}`).join('')}\n`,
    );
  }
} finally {
  await world.stop();
}
const total = (of: (each: Finished) => number) => finished.reduce((sum, each) => sum + of(each), 0);
const violations = total((each) => each.violations.length);
process.stdout.write(
  `${JSON.stringify({ rounds, kills: total((e) => e.kills), faults: total((e) => e.faults), violations })}\n`,
);
process.exitCode = violations === 0 ? 0 : 1;
