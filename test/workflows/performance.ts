/** Performs a play on hosts that die, and says what of the promises was broken. */

import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowFailedError } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { resultOf } from '../../src/client/index.js';
import { SluiceError } from '../../src/model/errors.js';
import { rolloutId, TASK_QUEUE } from '../../src/model/ids.js';
import type { Strategy } from '../../src/model/words.js';
import type { Split } from '../../src/platforms/port.js';
import { whileItMoves } from '../support/until.js';
import { type Hosts, rest } from './hosts.js';
import { type Deed, type Message, message, PIECES, type Play, specOf, verdictAt } from './plays.js';
import { Target } from './stage.js';

const OLD: Split = { stable: '1', candidate: null, weight: 0 };
const NEW: Split = { stable: '2', candidate: null, weight: 0 };

/** A person forces the way back over a foreign change that nobody has answered for this many ms. */
const PATIENCE = 1_000;
/** A late call waits this many ms at most for everything to have gone back. */
const LATE = 2_000;
/** The provider's hint how long to wait when it throttles, in ms. */
const RETRY_AFTER = 20;
/** Events and calls of a play that did not close, in its message. */
const LAST = 15;

/** What happened beside the target's own log. `writes`: how many were before. */
interface Told {
  said: (Message & { writes: number })[];
  foreign: { split: Split; writes: number; at: number }[];
  outcome: string;
}

/** Plays it to the end. What of the promises was broken; empty when all were kept. */
export async function perform(hosts: Hosts, strategy: Strategy, play: Play, app: string): Promise<string[]> {
  const performance = new Performance(hosts, strategy, play, app);
  try {
    await performance.toTheEnd();
    return performance.broken();
  } catch (error) {
    return [`${String(error)}; ${await performance.lastWords()}`];
  }
}

class Performance {
  private readonly target = new Target();
  private readonly told: Told = { said: [], foreign: [], outcome: 'open' };
  private readonly over = new AbortController();
  private readonly rollout: WorkflowHandle;
  private readonly seen = new Map<string, number>();
  private calls = 0;
  private probes = 0;

  constructor(
    private readonly hosts: Hosts,
    private readonly strategy: Strategy,
    private readonly play: Play,
    private readonly app: string,
  ) {
    this.rollout = hosts.client.workflow.getHandle(rolloutId(app, 'production'));
    this.prepareTarget();
    hosts.put(app, { target: this.target, limits: play.limits });
  }

  async toTheEnd(): Promise<void> {
    const { play, strategy, app } = this;
    const started = await this.hosts.client.workflow.start(strategy, {
      workflowId: this.rollout.workflowId,
      taskQueue: TASK_QUEUE,
      args: [specOf(strategy, play, app)],
    });
    void this.hosts.client
      .withAbortSignal(this.over.signal, () => outcomeOf(started))
      .then((outcome) => {
        this.told.outcome = outcome;
      });
    const moves = play.moves.map(({ when, deed }) => ('ms' in when ? this.later(when.ms, deed) : Promise.resolve()));
    try {
      await whileItMoves(
        'the end of the rollout',
        () => this.isClosed(),
        () => String(this.hosts.calls()),
      );
    } finally {
      this.over.abort();
      await Promise.all(moves);
    }
  }

  /** What closes only by a person's word, a foreign change, gets that word last. */
  private async isClosed(): Promise<boolean> {
    const { told } = this;
    const last = told.foreign.at(-1);
    const forced = told.said.some(
      ({ payload, writes }) => isForce(payload) && last !== undefined && writes >= last.writes,
    );
    if (last !== undefined && !forced && Date.now() - last.at > PATIENCE)
      await this.say(message('abort', { by: 'ann', force: true }));
    return told.outcome !== 'open';
  }

  private async later(ms: number, deed: Deed): Promise<void> {
    await rest(ms, this.over.signal);
    if (!this.over.signal.aborted) await this.act(deed);
  }

  private async act(deed: Deed): Promise<void> {
    if (deed === 'cancel') return void (await this.rollout.cancel().catch(() => undefined));
    if ('message' in deed) return this.say(deed.message);
    // Before the rollout has looked, a change is nobody's but the target's.
    if (!this.target.calls.includes('deploy')) return;
    this.told.foreign.push({ split: deed.foreign, writes: this.target.writes.length, at: Date.now() });
    this.target.foreign(deed.foreign);
  }

  /** Says it, unless there is nobody left to hear. */
  private async say(what: Message): Promise<void> {
    this.told.said.push({ ...what, writes: this.target.writes.length });
    await this.rollout.signal(what.name, what.payload).catch(() => undefined);
  }

  /** Sets the target up for what the play has in store for it. */
  private prepareTarget(): void {
    const { target, play } = this;
    target.verdict = (weight) => verdictAt(play, weight);
    target.few = play.few;
    target.atCall = async (name) => {
      await this.react(name);
      await rest(play.callTakes, this.over.signal);
      if (name === 'probe') target.probePasses = play.probes[this.probes++] ?? true;
    };
    target.fault = () => {
      this.calls += 1;
      return this.fault();
    };
    target.answerLost = () => this.trouble() === 'answerLost';
  }

  private async react(call: string): Promise<void> {
    const nth = (this.seen.get(call) ?? 0) + 1;
    this.seen.set(call, nth);
    for (const { when, deed } of this.play.moves)
      if ('call' in when && when.call === call && when.nth === nth) await this.act(deed);
    if (nth === 1 && call === this.play.late) await this.comeLate();
  }

  private async comeLate(): Promise<void> {
    await this.say(message('abort', { by: 'ann' }));
    const isBack = () => this.target.writes.some(({ step }) => step === 'restore');
    // A foreign change can keep the rollout from going back; then the call is not so late.
    for (const end = Date.now() + LATE; !isBack() && Date.now() < end; ) await rest(20, this.over.signal);
  }

  private trouble() {
    return this.play.troubles[this.calls - 1] ?? 'none';
  }

  private fault(): SluiceError | null {
    switch (this.trouble()) {
      case 'throttles':
        return new SluiceError('SLUICE_BUSY', '429 TooManyRequestsException', RETRY_AFTER);
      case 'fails':
        return new SluiceError('SLUICE_PROVIDER', '500 ServiceException');
      case 'refuses':
        return new SluiceError('SLUICE_REFUSED', '400 InvalidParameterValueException');
      case 'none':
      case 'answerLost':
        return null;
    }
  }

  broken(): string[] {
    const { play, told, target } = this;
    const { writes } = target;
    const { gate, gateFirst } = PIECES[this.strategy];
    const succeeded = told.outcome === 'succeeded';
    const back = writes.findIndex(({ step }) => step === 'restore');
    const approved = told.said.some(
      ({ name, payload }) => name === 'approve' && field(payload, 'stage') === gate && field(payload, 'by') === 'ann',
    );
    const needsApproval = play.gated !== 'no' && (gateFirst ? writes.some(isPromotion) : succeeded);
    const promises: [string, boolean][] = [
      ['promoted once at most', this.promotedOnce()],
      ['no weight without a passed probe', !play.probed || writes.every((w) => !givesTraffic(w) || w.probed)],
      ['no weight after going back', back < 0 || !writes.slice(back).some(givesTraffic)],
      ['closed at the old or the new release', this.closedWhole()],
      ['no write over a foreign change that nobody allowed', this.foreignRespected()],
      ['no gate without an approval', !needsApproval || approved],
      [
        'no success of an unhealthy release',
        !succeeded || verdictAt(play, 100) !== 'unhealthy' || told.said.some(({ name }) => name === 'promote'),
      ],
    ];
    const failed = promises.filter(([, kept]) => !kept).map(([promise]) => promise);
    return failed.length === 0 ? [] : [...failed, JSON.stringify({ told, writes, split: target.split })];
  }

  /** What somebody else has taken back, a person may let the rollout promote again. */
  private promotedOnce(): boolean {
    const at = this.target.writes.flatMap((write, i) => (isPromotion(write) ? [i] : []));
    return at
      .slice(1)
      .every((later, i) => this.told.foreign.some(({ writes }) => writes > (at[i] ?? 0) && writes <= later));
  }

  private closedWhole(): boolean {
    const { told, target } = this;
    const last = told.foreign.at(-1);
    // Only what was refused before anything was touched may fail.
    if (told.outcome === 'failed' && target.writes.length > 0) return false;
    // Nobody wrote after somebody else: it is his split.
    if (last !== undefined && last.writes === target.writes.length) return true;
    return sameSplit(target.split, told.outcome === 'succeeded' ? NEW : OLD);
  }

  private foreignRespected(): boolean {
    const { told, target } = this;
    return told.foreign.every(
      ({ writes }) =>
        target.writes.length === writes ||
        told.said.some(
          (each) => each.writes <= writes && (isForce(each.payload) || field(each.payload, 'adopt') === true),
        ),
    );
  }

  /** What led to where it stands. */
  async lastWords(): Promise<string> {
    const { events }: { events: { eventType: string }[] } = JSON.parse(
      historyToJSON(await this.rollout.fetchHistory()),
    );
    const names = events.map(({ eventType }) => eventType.replace('EVENT_TYPE_', ''));
    const { calls, writes, split } = this.target;
    return JSON.stringify({
      history: names.slice(-LAST).join(', '),
      calls: calls.slice(-LAST).join(', '),
      told: this.told,
      writes,
      split,
    });
  }
}

/** How it closed: its outcome, `canceled`, or `failed`. */
async function outcomeOf(rollout: WorkflowHandle): Promise<string> {
  try {
    return (await resultOf(rollout)).outcome ?? 'none';
  } catch (error) {
    return error instanceof WorkflowFailedError && error.cause instanceof CancelledFailure ? 'canceled' : 'failed';
  }
}

interface Write {
  split: Split;
}
const isPromotion = ({ split }: Write) => split.stable === '2';
const givesTraffic = ({ split }: Write) => split.stable === '2' || split.candidate === '2';

function sameSplit(one: Split, other: Split): boolean {
  return one.stable === other.stable && one.candidate === other.candidate && one.weight === other.weight;
}

function field(payload: unknown, name: string): unknown {
  return (Object(payload) as Record<string, unknown>)[name];
}

function isForce(payload: unknown): boolean {
  return field(payload, 'force') === true;
}
