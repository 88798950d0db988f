/** Which rollouts are played: strategy, platform, and how each ends. */
import type { PlatformName } from '../../src/model/spec.js';
import type { Outcome, RolloutType } from '../../src/model/words.js';

/**
 * `rollback`: a candidate that fails, logging and answering all its secrets, and pages that answer what they were sent.
 * `providerError`: the provider refuses and quotes the request. `webhookFailure`: receivers answer 500 and what they were sent;
 * there are no other hooks yet. `timeout`: pages and counts never answer. `crash`: SIGKILL of the worker in the middle.
 */
export const ENDINGS = ['crash', 'success', 'rollback', 'webhookFailure', 'timeout', 'providerError'] as const;
export type Ending = (typeof ENDINGS)[number];

/** What each must end as, or the test has not played what it says. */
export const OUTCOME: Record<Ending, Outcome> = {
  success: 'succeeded',
  rollback: 'rolledBack',
  webhookFailure: 'succeeded',
  timeout: 'rolledBack',
  crash: 'succeeded',
  providerError: 'rolledBack',
};

export interface Scenario {
  platform: PlatformName;
  strategy: RolloutType;
  ending: Ending;
}

/** An undo restores, whatever its look finds. */
export function outcomeOf({ strategy, ending }: Scenario): Outcome {
  return strategy === 'undo' ? 'succeeded' : OUTCOME[ending];
}

/** A target whose scenarios are played one after the other: an undo goes back from what was played before it. */
export interface Lane {
  app: string;
  platform: PlatformName;
  strategy: Exclude<RolloutType, 'undo'>;
  scenarios: Scenario[];
}

type Wanted = Ending | `undo ${Ending}`;

/** CI's part: each strategy, platform and ending several times; linear on App Service, which does there as canary does, only with all. */
const SOME: Record<PlatformName, Record<Lane['strategy'], Wanted[]>> = {
  lambda: {
    direct: ['crash', 'undo success'],
    blueGreen: ['rollback', 'webhookFailure', 'providerError'],
    canary: ['crash', 'timeout', 'rollback'],
    linear: ['success', 'undo webhookFailure', 'providerError'],
  },
  'app-service': {
    direct: ['rollback', 'providerError'],
    blueGreen: ['webhookFailure', 'undo rollback', 'undo timeout'],
    canary: ['crash', 'success'],
    linear: [],
  },
};

/**
 * The full product, the one crash first. An undo deploys nothing, so that no provider can refuse what holds a secret; and it begins
 * when there is something to go back from, so that the crash does not find it.
 */
const ALL: Wanted[] = [
  ...ENDINGS,
  ...ENDINGS.filter((ending) => !['providerError', 'crash'].includes(ending)).map(
    (ending) => `undo ${ending}` as const,
  ),
];

export function lanesOf(all: boolean): Lane[] {
  const lanes = (Object.keys(SOME) as PlatformName[]).flatMap((platform) =>
    (Object.keys(SOME[platform]) as Lane['strategy'][]).map((strategy) => ({
      app: `${platform === 'lambda' ? 'fn' : 'site'}-${strategy.toLowerCase()}`,
      ...{ platform, strategy },
      scenarios: (all ? ALL : SOME[platform][strategy]).map((wanted) => scenarioOf(platform, strategy, wanted)),
    })),
  );
  return lanes.filter(({ scenarios }) => scenarios.length > 0);
}

function scenarioOf(platform: PlatformName, strategy: Lane['strategy'], wanted: Wanted): Scenario {
  const ending = wanted.replace('undo ', '') as Ending;
  return { platform, strategy: wanted === ending ? strategy : 'undo', ending };
}

export function nameOf({ platform, strategy, ending }: Scenario): string {
  return `${platform} ${strategy} ${ending}`;
}
