/**
 * What must hold whatever is said to a rollout, whatever the judge finds, whatever the provider does and whenever a worker
 * dies. Plays are drawn anew in each run; what fails says how to play it again alone.
 */
import fc from 'fast-check';
import type { Strategy } from '../../src/model/words.js';
import { STRATEGIES } from '../../src/model/words.js';
import { type Hosts, rest, startHosts } from './hosts.js';
import { perform } from './performance.js';
import { message, type Play, plays, QUIET } from './plays.js';

/** Plays of each strategy in a run: more of them find more. */
const PLAYS = Number(process.env.SLUICE_PLAYS ?? 8);
/** Plays at the same time. */
const AT_A_TIME = 12;
/** In ms, for all that hangs: a play fails long before it, when nothing moves any more. */
const TIMEOUT = 1_800_000;

const SEED = Number(process.env.SLUICE_SEED ?? Math.trunc(Math.random() * 2 ** 31));
/** This play alone, such as `canary-3`. */
const ONLY = process.env.SLUICE_PLAY;

/**
 * Calls between two deaths of a host. Counted and not timed: on a slow machine each host would die before it had done
 * anything.
 */
const GAP = fc.integer({ min: 6, max: 40 });
/** ms between two looks how many calls there were. */
const LOOK = 50;

interface Named {
  name: string;
  strategy: Strategy;
  play: Play;
}

let hosts: Hosts;
beforeAll(async () => {
  hosts = await startHosts();
});
afterAll(async () => {
  await hosts.stop();
});

function drawn(): Named[] {
  const all = STRATEGIES.flatMap((strategy, nth) =>
    fc
      .sample(plays(strategy), { seed: SEED + nth, numRuns: PLAYS })
      .map((play, i) => ({ name: `${strategy}-${i}`, strategy, play })),
  );
  return all.filter(({ name }) => ONLY === undefined || name === ONLY);
}

/** Lets hosts die until the work is over. How many did. */
async function whileHostsDie(work: Promise<unknown>): Promise<number> {
  const over = new AbortController();
  const stop = () => over.abort();
  work.then(stop, stop);
  let deaths = 0;
  for (const gap of fc.sample(GAP, { seed: SEED, numRuns: PLAYS * 100 })) {
    for (const from = hosts.calls(); hosts.calls() < from + gap && !over.signal.aborted; )
      await rest(LOOK, over.signal);
    if (over.signal.aborted) break;
    await hosts.crash();
    deaths += 1;
  }
  return deaths;
}

/** Performs all plays. One line for each promise that was broken, with how to play it again. */
async function performAll(waiting: Named[]): Promise<{ performed: number; broken: string[] }> {
  const broken: string[] = [];
  let performed = 0;
  const next = async (): Promise<void> => {
    for (let named = waiting.shift(); named !== undefined; named = waiting.shift()) {
      const { name, strategy, play } = named;
      const what = await perform(hosts, strategy, play, name);
      performed += 1;
      const again = `to play it alone: SLUICE_SEED=${SEED} SLUICE_PLAY=${name} and this test`;
      if (what.length > 0) broken.push([again, ...what, JSON.stringify(play)].join('\n'));
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, next));
  return { performed, broken };
}

describe('any rollout', () => {
  test(
    'ends at the old or the new release, probed, promoted at most once, and gives no weight after a rollback',
    async () => {
      const performing = performAll(drawn());
      const deaths = await whileHostsDie(performing);
      const { performed, broken } = await performing;
      expect(broken).toEqual([]);
      expect(performed).toBe(ONLY === undefined ? PLAYS * STRATEGIES.length : 1);
      // One play alone can be over before the first death.
      expect(deaths > 0 || ONLY !== undefined).toBe(true);
    },
    TIMEOUT,
  );

  test('stays stuck and can be aborted if the foreign change that a person adopts cannot be read', async () => {
    const play: Play = {
      ...QUIET,
      // prepare, deploy, probe, shift, shift, adopt
      troubles: ['none', 'none', 'none', 'none', 'none', 'refuses'],
      moves: [
        { when: { call: 'shift', nth: 2 }, deed: { foreign: { stable: '1', candidate: '2', weight: 33 } } },
        { when: { call: 'notify', nth: 1 }, deed: { message: message('retry', { by: 'ann', adopt: true }) } },
      ],
    };
    expect(await perform(hosts, 'linear', play, 'adopting')).toEqual([]);
  });
});
