/** Plays the scenarios: the lanes side by side, what strikes them all together. */

import { setTimeout as pause } from 'node:timers/promises';
import type { FaultRule } from '../../emulators/aws/index.js';
import type { StartAnswer } from '../../src/client/index.js';
import { resultOf } from '../../src/client/index.js';
import type { RolloutView } from '../../src/model/view.js';
import type { Phase, Strategy } from '../../src/model/words.js';
import { NEVER } from '../support/until.js';
import { IN_RELEASE } from './marks.js';
import { specOf } from './release.js';
import { type Lane, nameOf, OUTCOME, outcomeOf, type Scenario } from './scenarios.js';
import type { World } from './world.js';

export interface Played {
  scenario: string;
  app: string;
  run: string;
  seconds: number;
  /** Why it was not what it should be; null: it was. */
  fault: string | null;
}

/** Called while a rollout waits for a person. */
export type OnWaiting = (app: string) => Promise<void>;

export class Player {
  readonly played: Played[] = [];
  /** Live releases, by app. */
  readonly #live = new Map<string, string>();
  /** Refusals of the emulated AWS so far: each is for one release. */
  readonly #rules: FaultRule[] = [];
  #made = 0;

  constructor(
    readonly world: World,
    private readonly onWaiting: OnWaiting,
  ) {}

  /**
   * All scenarios of the lanes, which are played side by side. One crash is for all that wait for it; the others stand still then,
   * and go on while those find their way back.
   */
  async play(lanes: Lane[]): Promise<void> {
    const crashing = lanes.filter(({ scenarios: [one] }) => one?.ending === 'crash');
    const crash = this.#crash(lanes.length);
    await Promise.all(
      lanes.map(async (lane) => {
        await this.#first(lane);
        if (!crashing.includes(lane)) await crash();
        for (const scenario of lane.scenarios) {
          const inMiddle = scenario === lane.scenarios[0] && crashing.includes(lane) ? { inMiddle: crash } : {};
          await this.#one(lane, scenario, inMiddle);
        }
      }),
    );
  }

  /** Kills the worker when so many have come here, and lets them go on. */
  #crash(many: number): () => Promise<void> {
    let waiting = many;
    let strike: (done: Promise<void>) => void = () => undefined;
    const struck = new Promise<void>((resolve) => {
      strike = resolve;
    });
    return () => {
      waiting -= 1;
      if (waiting === 0) strike(this.world.crash());
      return struck;
    };
  }

  /** Something to go back to. */
  async #first(lane: Lane): Promise<void> {
    const { azure } = this.world;
    if (lane.platform === 'app-service')
      await azure.createSite({ name: lane.app, resourceGroup: 'shop', slots: ['staging'] });
    await this.#one(lane, { ...lane, ending: 'success' }, { first: true });
  }

  async #one(
    lane: Lane,
    scenario: Scenario,
    { first = false, inMiddle }: { first?: boolean; inMiddle?: () => Promise<void> } = {},
  ): Promise<void> {
    const { app } = lane;
    const { receiver } = this.world;
    const began = Date.now();
    const moods = { rollback: 'unhealthy', webhookFailure: 'refusing', timeout: 'silent' } as const;
    const name = first ? `${lane.platform} ${lane.strategy} first release` : nameOf(scenario);
    const { ending } = scenario;
    if (ending in moods) receiver.set(app, moods[ending as keyof typeof moods], this.#live.get(app) ?? null);
    const ends = { run: '', fault: null as string | null };
    try {
      const gated = !first && ending === 'success' && ['canary', 'linear'].includes(scenario.strategy);
      const answer = await this.#start(lane, scenario, gated, inMiddle === undefined ? '400ms' : '3s');
      ends.run = answer.run ?? '';
      const done = this.#end(app, ends.run);
      done.catch(() => undefined);
      if (gated) await this.#approve(app, ends.run);
      // Its bake is a minute long; a person who has seen enough ends it. What finds harm ends by itself.
      if (scenario.strategy === 'undo' && OUTCOME[ending] === 'succeeded') await this.#skip(app, ends.run, inMiddle);
      else if (inMiddle !== undefined) {
        await this.#reached(app, ends.run, 'baking');
        await inMiddle();
      }
      const view = await done;
      if (view.outcome === 'succeeded') this.#live.set(app, view.candidate ?? '');
      const expected = outcomeOf(scenario);
      if (view.outcome !== expected)
        ends.fault = `it is ${view.outcome} and should be ${expected}: ${view.reason ?? 'no reason'}`;
    } catch (error) {
      ends.fault = String(error);
    }
    receiver.set(app, 'well');
    this.played.push({ scenario: name, app, ...ends, seconds: (Date.now() - began) / 1_000 });
  }

  async #start(lane: Lane, { strategy, ending }: Scenario, approval: boolean, bake: string): Promise<StartAnswer> {
    const { people, releases, receiver, azure } = this.world;
    const at = { app: lane.app, environment: 'production' };
    if (strategy === 'undo') return people.ann.undo(at, { by: 'ann' });
    this.#made += 1;
    if (ending === 'providerError') await this.#refuse(lane, this.#made);
    const input = specOf({
      ...{ app: lane.app, platform: lane.platform, strategy, releases, approval, bake },
      ...{ number: this.#made, receiver: receiver.url, subscription: azure.subscription },
      bad: ending === 'rollback',
    });
    const type: Strategy = strategy;
    return people.ann.start({ ...at, type, input, onNewRelease: 'reject', by: 'ann' });
  }

  async #end(app: string, run: string): Promise<RolloutView> {
    const { client } = this.world;
    // Not only done: its last webhooks were sent, or given up.
    return client.withDeadline(Date.now() + NEVER, () => resultOf(client.workflow.getHandle(`${app}/production`, run)));
  }

  async #skip(app: string, run: string, inMiddle: () => Promise<void> = async () => undefined): Promise<void> {
    await this.#reached(app, run, 'baking');
    await inMiddle();
    await this.world.people.ann.verb({ app, environment: 'production' }, 'skip', {});
  }

  async #approve(app: string, run: string): Promise<void> {
    const at = { app, environment: 'production' };
    const { ann, ben } = this.world.people;
    const { view } = await ann.wait(at, 'approval', { run, signal: AbortSignal.timeout(NEVER) });
    if (view?.outcome != null) throw new Error(`it is ${view.outcome} before its approval: ${view.reason}`);
    await this.onWaiting(app);
    await ben.verb(at, 'approve', { comment: 'looked at it' });
  }

  async #reached(app: string, run: string, phase: Phase): Promise<void> {
    const end = Date.now() + NEVER;
    while (Date.now() < end) {
      const { view } = await this.world.people.ann.status({ app, environment: 'production' });
      if (view?.run === run && (view.phase === phase || view.outcome !== null)) return;
      await pause(20);
    }
    throw new Error(`${app} was never ${phase}`);
  }

  /** The next write of the settings of this target, and release, is refused, in words that quote all of it. */
  async #refuse({ app, platform }: Lane, number: number): Promise<void> {
    const values = IN_RELEASE.map((name) => this.world.marks.secrets[name]);
    const quoted = `the request ${JSON.stringify(values)} (${Buffer.from(values.join()).toString('base64')}) is not valid`;
    if (platform === 'lambda') {
      this.#rules.push({
        ...{ service: 'lambda', operation: 'UpdateFunctionConfiguration', times: 1 },
        body: `Environment.Variables.RELEASE == '${number}'`,
        error: { code: 'InvalidParameterValueException', status: 400, message: quoted },
      });
      await this.world.aws.faults.set(this.#rules);
    } else {
      const effect = { status: 400, body: { Code: 'BadRequest', Message: quoted } };
      const operations = ['UpdateApplicationSettings', 'UpdateApplicationSettingsSlot'];
      this.world.azure.faults.add([{ operations, site: app, times: 1, effect }]);
    }
  }
}
