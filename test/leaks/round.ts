/** The leak test itself: rollouts are played, everything that is kept of them is gathered, and searched for every mark. */
import { CliGatherer } from './gather-cli.js';
import { gatherFiles } from './gather-files.js';
import { bearersIn, gatherRequests } from './gather-requests.js';
import { TemporalGatherer } from './gather-temporal.js';
import { Gathered, type Leak, PLACES } from './gathered.js';
import { SECRETS, tokenMarks } from './marks.js';
import { type Played, Player } from './play.js';
import { specOf } from './release.js';
import type { Lane } from './scenarios.js';
import { Finder, type Mark } from './search.js';
import type { World } from './world.js';

export interface Result {
  played: Played[];
  /** Places that were searched, with what was there. */
  places: { place: string; pieces: number; bytes: number }[];
  /** With the scenario in front of what is the scenario's. */
  leaks: (Leak & { scenario: string | null })[];
  /** Why the search proves less than it should: a scenario that was not played, a place with nothing in it, a secret that was never used. */
  faults: string[];
}

export async function playRound(world: World, lanes: Lane[]): Promise<Result> {
  const to = new Gathered();
  const cli = new CliGatherer(world, to);
  const temporal = await TemporalGatherer.start(world.temporal.address, to);
  try {
    const player = new Player(world, (app) => cli.waiting(app));
    await player.play(lanes);
    await Promise.all([temporal.whole(), askAll(world, cli, lanes, player.played)]);
    gatherFiles(world, to);
    const arrived = gatherRequests(world, to);
    return resultOf(world, to, player.played, arrived);
  } finally {
    await temporal.close();
  }
}

async function askAll(world: World, cli: CliGatherer, lanes: Lane[], played: Played[]): Promise<void> {
  for (const { app } of lanes) await cli.target(app);
  for (const one of played.filter(({ run }) => run !== '')) await cli.report(one);
  await cli.all();
  for (const lane of lanes.filter(({ strategy }) => strategy === 'direct')) await cli.plan(planned(world, lane));
}

/** The spec of a rollout that is only planned. */
export function planned(world: World, { app, platform }: Pick<Lane, 'app' | 'platform'>): Record<string, unknown> {
  return specOf({
    ...{ app, platform, strategy: 'canary', bad: false, number: 0 },
    ...{ releases: world.releases, receiver: world.receiver.url, subscription: world.azure.subscription },
  });
}

/** Everything that is searched for, tokens that were made meanwhile too. */
export function marksOf(world: World): Mark[] {
  return [...world.marks.all, ...tokenMarks(bearersIn(world))];
}

function resultOf(world: World, to: Gathered, played: Played[], sent: Set<string>): Result {
  const { leaks, arrived } = to.search(new Finder(marksOf(world)));
  const unused = [...Object.keys(SECRETS), 'azure-client-secret', 'bearer token of Azure'].filter(
    (name) => !arrived.has(name) && !sent.has(name),
  );
  return {
    played,
    places: PLACES.map((place) => ({ place, ...to.size(place) })),
    leaks: leaks.map((leak) => ({ ...leak, scenario: played.find(({ run }) => holds(leak, run))?.scenario ?? null })),
    faults: [
      ...played.flatMap(({ scenario, fault }) => (fault === null ? [] : [`${scenario}: ${fault}`])),
      ...to.empty().map((place) => `${place}: nothing was found there, not even what belongs there`),
      ...unused.map((name) => `${name}: it was never where it belongs, so nothing could leak it`),
    ],
  };
}

function holds({ where }: Leak, run: string): boolean {
  return run !== '' && where.includes(run);
}
