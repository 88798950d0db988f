/** Many starts of one target at the same moment, by each policy for a second release. */
import type { StartAnswer } from '../../src/client/index.js';
import type { SluiceError } from '../../src/model/errors.js';
import type { OnNewRelease } from '../../src/model/words.js';
import { DIRECT, QUICK, startWorld, type World } from './target.js';

let world: World;

beforeAll(async () => {
  world = await startWorld('many');
});

afterAll(() => world?.stop());

describe('many simultaneous starts', () => {
  const STARTS = 12;
  const CONNECTIONS = 4;

  /** What each starter heard in the end: his run and its outcome, or the code of the error. */
  async function stormOf(app: string, policyOf: (at: number) => OnNewRelease) {
    await world.end(app, await world.start(app, 'first', DIRECT));
    const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => world.client()));
    const heard = Array.from({ length: STARTS }, async (_, at) => {
      const client = clients[at % CONNECTIONS] as World['sluice'];
      try {
        const answer: StartAnswer = await world.start(app, `starter-${at}`, QUICK, policyOf(at), client);
        const { outcome, run, startedBy } = await world.end(app, answer, client);
        return { at, run, outcome, startedBy };
      } catch (error) {
        return { at, refused: (error as SluiceError).code };
      }
    });
    return Promise.all(heard);
  }

  const POLICIES: [string, (at: number) => OnNewRelease, string[]][] = [
    ['reject', () => 'reject', ['SLUICE_ALREADY_RUNNING']],
    ['queue', () => 'queue', ['SLUICE_SUPERSEDED']],
    ['replace', () => 'replace', ['SLUICE_SUPERSEDED']],
    [
      'mixed',
      (at) => (['reject', 'queue', 'replace'] as const)[at % 3] as OnNewRelease,
      ['SLUICE_ALREADY_RUNNING', 'SLUICE_SUPERSEDED'],
    ],
  ];

  // Each has an app of its own, and most of the time is waiting.
  test.concurrent.each(POLICIES)(
    '%s: two never run at once, every starter learns the result, and the alias ends at one release',
    async (name, policyOf, refusals) => {
      const app = `storm-${name}`;
      const heard = await stormOf(app, policyOf);

      const ran = heard.flatMap((each) => ('run' in each ? [each] : []));
      for (const each of heard) if ('refused' in each) expect(refusals).toContain(each.refused);
      for (const { at, startedBy } of ran) expect(startedBy).toBe(`starter-${at}`);

      // Oldest first, without the first release: each run's starter has heard of it, and of no other.
      const past = (await world.sluice.history(world.at(app))).reverse().slice(1);
      expect(past.map(({ run }) => run).sort()).toEqual(ran.map(({ run }) => run).sort());
      for (const [index, { startedAt }] of past.entries()) {
        if (index > 0) expect(startedAt).toBeGreaterThanOrEqual(past[index - 1]?.endedAt ?? Number.POSITIVE_INFINITY);
      }
      for (const { outcome } of past.slice(0, -1)) {
        expect(['succeeded', 'superseded']).toContain(outcome);
      }
      expect(past.at(-1)?.outcome).toBe('succeeded');
      expect(ran.length).toBeGreaterThanOrEqual(name === 'reject' ? 1 : 2);
      if (name === 'reject') expect(ran).toHaveLength(1);

      const writers = world.writers(app);
      expect(writers).toEqual([...new Set(writers)]);
      expect(await world.alias(app)).toMatchObject({ version: past.at(-1)?.release, weights: {} });
      expect(await world.ledger(app)).toMatchObject({ queued: null, running: null });
    },
  );
});
