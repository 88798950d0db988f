/** `npm run chaos -- --rounds N --seed S --output json`: as many rounds as asked for, exit 1 on a violation. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from './random.js';
import { drawRound, type Finished, playRound, WriteGate } from './rounds.js';
import { startWorld } from './world.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    output: { type: 'string', default: 'text' },
  },
});

/** Handlers of the rounds: the good one answers, the bad one passes its smoke test and then fails. */
export function writeExamples(folder: string): string {
  const handlers = {
    good: 'export const handler = async (event, context) => ({ statusCode: 200, release: context.functionVersion, user: event.user });\n',
    bad: "let calls = 0;\nexport const handler = async (event, context) => {\n  if (event.user === 'probe' && calls++ === 0) return { statusCode: 200 };\n  if (Math.random() < 0.6) throw new Error('bad release');\n  return { statusCode: 200, release: context.functionVersion };\n};\n",
  };
  for (const [name, code] of Object.entries(handlers)) {
    mkdirSync(path.join(folder, name), { recursive: true });
    writeFileSync(path.join(folder, name, 'index.mjs'), code);
  }
  return folder;
}

const rounds = Number(values.rounds);
const seed = Number(values.seed);
if (!Number.isInteger(rounds) || rounds < 1 || !Number.isInteger(seed)) {
  process.stderr.write('usage: npm run chaos -- --rounds N --seed S [--output json]   (whole numbers)\n');
  process.exit(2);
}
const folder = path.resolve('.sluice', 'chaos', String(process.pid));
const examples = writeExamples(path.join(folder, 'examples'));
const gate = new WriteGate();
const world = await startWorld(folder, { onWrite: gate.onWrite });
const finished: Finished[] = [];
try {
  const random = new Random(seed);
  const first = await playRound(
    world,
    { number: 0, strategy: 'direct', kind: 'none', phase: 'baking', good: true },
    examples,
    gate,
  );
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
