/**
 * The chaos rounds that every run of the tests plays: a real Temporal server with a file database, an emulated cloud,
 * workers as processes of their own, and users who never stop. `npm run chaos` plays as many as asked for.
 */
import path from 'node:path';
import type { Ground, OnWrite } from '../chaos/ground.js';
import { FIRST, playRound, type Round, WriteGate } from '../chaos/rounds.js';
import { startWorld, type World } from '../chaos/world.js';
import { ROOT } from '../support/tools.js';

/** Title, what happens, and the outcome it must have. */
export type KillRound = [string, Omit<Round, 'number'>, string];

export function describeRounds(startGround: (onWrite: OnWrite) => Promise<Ground>, rounds: KillRound[]): void {
  const folder = path.join(ROOT, '.sluice', 'e2e', String(process.pid));
  const examples = path.join(folder, 'examples');
  const gate = new WriteGate();
  let world: World;
  let number = 0;

  beforeAll(async () => {
    world = await startWorld(folder, () => startGround(gate.onWrite));
    world.ground.writeExamples(examples);
    const first = await playRound(world, FIRST, examples, gate);
    if (first.violations.length > 0) throw new Error(first.violations.join('\n'));
    world.traffic.start();
  });

  afterAll(() => world?.stop());

  test.each(rounds)(
    '%s: the target ends at the old or new release, no write is out of order, and users are served',
    async (_, round, outcome) => {
      number += 1;
      const done = await playRound(world, { ...round, number }, examples, gate);
      expect(done.violations).toEqual([]);
      expect(done.outcome).toBe(outcome);
      if (round.kind.startsWith('crash')) expect(done.kills).toBe(1);
    },
  );
}
