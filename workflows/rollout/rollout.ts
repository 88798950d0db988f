/**
 * The durable process of one rollout: prepare, then the plan's steps one after the other. What goes wrong leaves the walk
 * and everything goes back. `preparing.ts`, `steps.ts`, `waits.ts` and
 * `way-back.ts` are its parts; a person's messages are in `handlers.ts`, what a person sees in `view.ts`.
 */

import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  continueAsNew,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { Prepared } from '../../activities/types.js';
import { failureOf } from '../../src/model/failures.js';
import { mark, parseRolloutId } from '../../src/model/ids.js';
import type { HealthPolicy, RolloutInput, Spec } from '../../src/model/spec.js';
import { clean } from '../../src/model/text.js';
import { saySplit, shareOf } from '../../src/model/traffic.js';
import type { RolloutView } from '../../src/model/view.js';
import type { RolloutType } from '../../src/model/words.js';
import type { Split } from '../../src/platforms/port.js';
import type { Stage, Step } from '../../src/strategies/types.js';
import { light, looking } from '../calls.js';
import { Growth } from '../run-length.js';
import { LONGEST_VERB, Unsealing } from '../unsealing.js';
import { Herald } from './announce.js';
import { Checks } from './checks.js';
import { registerHandlers } from './handlers.js';
import { Journal } from './journal.js';
import { Keeping } from './keep.js';
import type { Waited } from './leave.js';
import { AskedAgain, BakesAgain, Leaving } from './leave.js';
import { Preparation } from './prepare.js';
import type { Leave, RolloutState, Wish } from './state.js';
import { newState } from './state.js';
import { Steps } from './steps.js';
import { Look } from './undo.js';
import { Waits } from './waits.js';
import { Watching } from './watching.js';
import { WayBack } from './way-back.js';

/** First and longest rest between two tries to renew a grant, in ms. */
const FIRST_REST = 5_000;
const LONGEST_REST = 5 * 60_000;

/** What a rollout workflow is: one run of it, over every continue-as-new. */
export async function rollout(type: RolloutType, input: RolloutInput, carried?: RolloutState): Promise<RolloutView> {
  const info = workflowInfo();
  const of = parseRolloutId(info.workflowId);
  if (of === null) {
    throw ApplicationFailure.nonRetryable(
      `workflow id "${clean(info.workflowId)}" is not <app>/<environment>; the id is the lock on the target, start with -w checkout/production`,
      'SLUICE_WORKFLOW_ID',
    );
  }
  // Anybody can start a run with a second argument; only a run that continues another has a state to go on from.
  const goesOn = info.continuedFromExecutionRunId !== undefined && carried !== undefined;
  const state = goesOn ? carried : newState({ ...of, run: info.firstExecutionRunId, type, now: Date.now() });
  return new Rollout(state, input).run();
}

/** One rollout: what its parts and its handlers share, and the walk through the plan. */
export class Rollout {
  readonly journal: Journal;
  readonly watching: Watching;
  readonly growth = new Growth(
    () => this.state.limits,
    () => this.unsealing.idle && this.checks.idle && this.keeping.idle,
  );
  /** This run has continued another, and its grants are being made out for it. */
  renewing: boolean;
  readonly unsealing = new Unsealing({ longest: LONGEST_VERB, patience: 0 });
  readonly checks = new Checks(this);
  readonly herald = new Herald(this);
  readonly look = new Look(this);
  readonly keeping = new Keeping(this);
  readonly steps = new Steps(this);
  readonly waits = new Waits(this);
  private readonly preparation = new Preparation(this);
  private readonly wayBack = new WayBack(this);

  constructor(
    readonly state: RolloutState,
    readonly input: RolloutInput,
  ) {
    this.journal = new Journal(state);
    this.watching = new Watching(this);
    this.renewing = state.grant !== null;
    registerHandlers(this);
  }

  /** Set by messages; each wait looks at them. */
  get wish(): Wish {
    return this.state.wish;
  }

  set wish(wish: Wish) {
    this.state.wish = wish;
  }

  get spec(): Spec {
    if (this.state.spec === null)
      throw ApplicationFailure.nonRetryable('the spec was used before it was parsed', 'SLUICE_SPEC');
    return this.state.spec;
  }

  get prepared(): Prepared {
    if (this.state.prepared === null)
      throw ApplicationFailure.nonRetryable('the plan was used before it was made', 'SLUICE_SPEC');
    return this.state.prepared;
  }

  /** What the judge goes by at this stage. */
  policy(): HealthPolicy {
    const stage = this.prepared.plan.stages[this.state.cursor.stage];
    return { ...this.spec.health.policy, ...stage?.health };
  }

  async run(): Promise<RolloutView> {
    // Everything runs shielded: a cancel is a wish like any other, and going back must run to its end.
    const root = CancellationScope.current();
    root.cancelRequested.catch(() => this.cancel());
    return CancellationScope.nonCancellable(() => this.shielded());
  }

  private async shielded(): Promise<RolloutView> {
    const { state } = this;
    if (this.renewing) await this.renew();
    try {
      if (state.prepared === null) await this.preparation.prepare();
      if (state.leave === null) await this.walk();
    } catch (error) {
      if (!(error instanceof Leaving)) {
        if (state.outcome === 'failed') await this.herald.sayEnd();
        throw error;
      }
    }
    if (state.leave !== null) await this.wayBack.goBack();
    else this.journal.end('succeeded', this.look.ending(), null);
    return this.close();
  }

  /** A grant is for one run. One that continues another gets its own; one that was made by Reset gets none, and does nothing. */
  private async renew(): Promise<void> {
    const { state, journal } = this;
    for (let rest = FIRST_REST; this.renewing; rest = Math.min(rest * 2, LONGEST_REST)) {
      try {
        const [grant] = await light.renew({ grants: [state.grant ?? ''] });
        state.grant = grant ?? null;
        this.renewing = false;
      } catch (error) {
        const { message, code } = failureOf(error);
        if (code === 'SLUICE_ACCESS') {
          journal.end('failed', message, code);
          await this.herald.sayEnd();
          throw ApplicationFailure.create({ message, type: code, nonRetryable: true });
        }
        // Traffic may be split: whatever keeps a worker from answering must not end the run that watches over it.
        journal.event(`the grant of this run could not be renewed and is tried again: ${message}`);
        journal.publish();
        await sleep(rest, { summary: 'renew the grant of this run again' });
      }
    }
  }

  private async walk(): Promise<void> {
    const { state } = this;
    const { stages } = this.prepared.plan;
    for (;;) {
      const stage = stages[state.cursor.stage];
      if (stage === undefined) return;
      const step = stage.steps[state.cursor.step];
      if (step === undefined) {
        this.journal.stageEnds(stage);
        state.cursor = { stage: state.cursor.stage + 1, step: 0 };
        continue;
      }
      try {
        await this.perform(stage, step);
        state.cursor = { ...state.cursor, step: state.cursor.step + 1 };
      } catch (error) {
        if (!(error instanceof BakesAgain)) throw error;
        state.cursor = error.cursor;
        this.journal.stageGoesBack();
      }
      state.step = {};
    }
  }

  private async perform(stage: Stage, step: Step): Promise<void> {
    await this.breathe();
    await this.waits.holdOn(stage);
    await this.waits.pauseIfAsked();
    this.journal.stepBegins(stage, step);
    await this.steps.perform(stage, step);
  }

  /** Between two steps: leave if asked to, continue as new if this run has grown long. */
  private async breathe(): Promise<void> {
    if (this.state.leave !== null) throw new Leaving();
    this.growth.look();
    if (this.growth.over) await this.continue();
  }

  /**
   * Waits for `wish`, at most `ms`. Leaves when the rollout must, continues as new when this run has grown long, and
   * goes through an unhealthy verdict first (then the answer is `again`). `deaf`: the verdict is known and held.
   */
  async until(wish: () => boolean, ms: number, summary: string, options: { deaf?: boolean } = {}): Promise<Waited> {
    const { state, watching } = this;
    const unhealthy = () => options.deaf !== true && watching.unhealthy !== null;
    this.growth.look();
    await condition(() => wish() || state.leave !== null || unhealthy() || this.growth.over, Math.max(1, ms), {
      summary,
    });
    if (state.leave !== null) throw new Leaving();
    if (unhealthy()) {
      await this.waits.unhealthy(watching.takeUnhealthy());
      return 'again';
    }
    if (wish()) return 'asked';
    this.growth.look();
    if (this.growth.over) await this.continue();
    return 'elapsed';
  }

  private async close(): Promise<RolloutView> {
    const { state, journal } = this;
    await this.herald.sayEnd();
    journal.remember();
    await condition(allHandlersFinished);
    if (state.leave?.canceled === true) {
      throw new CancelledFailure(
        state.kept === null
          ? `canceled; all traffic is back on ${this.state.prepared?.before.split.stable ?? 'what it was on'}`
          : `canceled; somebody else's change is kept: ${saySplit(state.kept.split)}`,
      );
    }
    return journal.view();
  }

  leaveWith(leave: Leave): void {
    const { state } = this;
    if (state.leave !== null || state.phase === 'done') return;
    state.leave = { ...leave, reason: clean(leave.reason, 600) };
  }

  /** Temporal's own Cancel: goes back, except on a foreign change, which it keeps. */
  private cancel(): void {
    this.state.cancel = 'asked';
    if (this.keeping.possible) return;
    this.leaveWith({ outcome: 'rolledBack', reason: 'canceled through Temporal', code: null, canceled: true });
  }

  /** The traffic as it was just read: what views show of it, and no other. */
  saw(split: Split): void {
    const { state } = this;
    state.split = split;
    state.weight = shareOf(split, state.release?.version ?? null);
  }

  /** Runs a call that a leave, an unhealthy verdict or `asked` (AskedAgain) cuts short. What it may still do late is fenced. */
  async interruptible<T>(work: () => Promise<T>, asked: () => boolean = () => false): Promise<T> {
    const { state, watching } = this;
    const scope = new CancellationScope();
    let settled = false;
    const done = scope.run(work).finally(() => {
      settled = true;
    });
    done.catch(() => undefined);
    await condition(() => settled || state.leave !== null || watching.unhealthy !== null || asked());
    if (settled) return done;
    scope.cancel();
    if (state.leave !== null) throw new Leaving();
    if (watching.unhealthy === null) throw new AskedAgain();
    await this.waits.unhealthy(watching.takeUnhealthy());
    throw new AskedAgain();
  }

  async continue(): Promise<never> {
    const { state } = this;
    const leaving = state.leave;
    const report = await this.watching.stop();
    if (report?.verdict.state === 'unhealthy' && state.leave === null) await this.waits.unhealthy(report);
    await condition(() => (allHandlersFinished() && this.growth.settled) || state.leave !== leaving);
    // An abort does not wait for the rest of a flood.
    if (state.leave !== leaving) throw new Leaving();
    return continueAsNew<(input: RolloutInput, carried: RolloutState) => Promise<RolloutView>>(this.input, state);
  }

  /** Adds what the candidate's logs say to why its probes failed. They are no reason to fail, nor is their absence. */
  async lookForErrors(): Promise<void> {
    const { state } = this;
    const { version } = this.release();
    const args = { spec: this.spec, version, from: state.weightSince, seen: state.errors, grant: state.grant };
    const errors = await looking(this.spec)
      .errors(args)
      .catch(() => state.errors);
    state.errors = errors.map((error) => ({ ...error, what: clean(error.what) }));
  }

  release() {
    if (this.state.release === null)
      throw ApplicationFailure.nonRetryable('the plan uses a release before it deploys one', 'SLUICE_SPEC');
    return this.state.release;
  }

  stable(): string {
    const { stable } = this.prepared.before.split;
    if (stable === null)
      throw ApplicationFailure.nonRetryable('the plan shifts traffic although nothing was live', 'SLUICE_SPEC');
    return stable;
  }

  mark(step: string): string {
    return mark(this.state.app, this.state.environment, this.state.run, step, this.state.access?.policy != null);
  }
}
