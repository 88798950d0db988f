/**
 * The chaos rounds that every run of the tests plays: a real Temporal server with a file database, the emulated cloud,
 * workers as processes of their own, and users who never stop. `npm run chaos` plays as many as asked for.
 */
import path from 'node:path';
import { FIRST, playRound, type Round, WriteGate, writeExamples } from '../chaos/rounds.js';
import { startWorld, type World } from '../chaos/world.js';
import { ROOT } from '../support/tools.js';

const folder = path.join(ROOT, '.sluice', 'e2e', String(process.pid));
const gate = new WriteGate();
let world: World;
let examples: string;
let number = 0;

beforeAll(async () => {
  examples = writeExamples(path.join(folder, 'examples'));
  world = await startWorld(folder, { onWrite: gate.onWrite });
  const first = await playRound(world, FIRST, examples, gate);
  if (first.violations.length > 0) throw new Error(first.violations.join('\n'));
  world.traffic.start();
}, 60_000);

afterAll(() => world?.stop());

const ROUNDS: [string, Omit<Round, 'number'>, string][] = [
  [
    'the worker is killed while a canary bakes',
    { strategy: 'canary', kind: 'crashWorker', phase: 'baking', good: true },
    'succeeded',
  ],
  [
    'the worker is killed between a write and its answer',
    { strategy: 'linear', kind: 'crashAfterEffect', phase: 'shifting', good: true },
    'succeeded',
  ],
  [
    'the server is killed while a blue-green release is deployed',
    { strategy: 'blueGreen', kind: 'crashServer', phase: 'deploying', good: true },
    'succeeded',
  ],
  [
    'the worker is killed while a bad release bakes',
    { strategy: 'canary', kind: 'crashWorker', phase: 'baking', good: false },
    'rolledBack',
  ],
  [
    'the answer of a write is lost',
    { strategy: 'direct', kind: 'lostAnswer', phase: 'promoting', good: true },
    'succeeded',
  ],
  [
    'a worker is frozen in a write and wakes after the restore',
    { strategy: 'canary', kind: 'freeze', phase: 'shifting', good: true },
    'rolledBack',
  ],
];

test.each(ROUNDS)(
  '%s: the alias ends at old or new, no write is out of turn, users are served',
  async (_, round, outcome) => {
    number += 1;
    const done = await playRound(world, { ...round, number }, examples, gate);
    expect(done.violations).toEqual([]);
    expect(done.outcome).toBe(outcome);
  },
  160_000,
);
