/**
 * The durable process of one rollout: prepare, then the plan's steps one after the other. What goes wrong leaves the walk
 * and everything goes back. A person's messages are in `handlers.ts`, what a person sees in `view.ts`.
 */
import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  continueAsNew,
  log,
  workflowInfo,
} from '@temporalio/workflow';
import type { WatchReport } from '../activities/health/types.js';
import type { Written } from '../activities/platform/platform.js';
import type { Prepared } from '../activities/types.js';
import { mark, parseRolloutId } from '../src/model/ids.js';
import type { RolloutInput, Spec } from '../src/model/spec.js';
import { clean, duration } from '../src/model/text.js';
import type { LedgerEntry, RolloutView } from '../src/model/view.js';
import type { Phase, RolloutType } from '../src/model/words.js';
import type { ApproveStep, BakeStep, Stage, Step } from '../src/plan/types.js';
import { forward, light, preparing, restoring } from './calls.js';
import { failureOf, isForeign, nobodyCame } from './failures.js';
import { registerHandlers } from './handlers.js';
import { Journal } from './journal.js';
import type { Gate, Leave, RolloutState } from './state.js';
import { newState } from './state.js';
import { stageViews } from './view.js';
import { Watching } from './watching.js';

/** The plan's shape this code executes. */
const KNOWN_PLAN = 1;
/** Bakes whose counts were lost with a worker are run again this often before a person is asked. */
const LOST_REPORTS = 3;
/** Length of such a second bake, in ms: enough for any source to be read again. */
const REBAKE = 15_000;
/** Reminders come twice as late each time, at most a day apart. */
const LONGEST_REMINDER = 86_400_000;
/** Stands for the mark of a change that a person adopted. */
const ADOPTED = 'adopted';
/** A later try of restoring goes on this long before its last error is shown anew. */
const RESTORE_CHUNK = 5 * 60_000;

/** Thrown to unwind the walk; the reason stands in the state. */
class Leaving extends Error {}

/** Thrown when a person asked for another try of what is waiting. */
class AskedAgain extends Error {}

/** How a wait ended: somebody asked, the time is over, or what is waited in has changed and must be looked at again. */
type Waited = 'asked' | 'elapsed' | 'again';

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
  const state = carried ?? newState({ ...of, run: info.firstExecutionRunId, type, now: Date.now() });
  return new Rollout(state, input).run();
}

/** Everything the handlers may ask of a running rollout. */
export class Rollout {
  readonly journal: Journal;
  private readonly watching: Watching;
  /** Set by messages; each wait looks at them. */
  wish: { resume?: string; promote?: string; skip?: string; retry?: string; adopt?: boolean; pause?: { by: string } } =
    {};
  /** Signals of this run, counted so that a flood ends in a new run and not at the server's limit. */
  signals = 0;
  /** The companion hears of the beginning before it hears of the end. */
  private began: Promise<void> = Promise.resolve();

  constructor(
    readonly state: RolloutState,
    private readonly input: RolloutInput,
  ) {
    this.journal = new Journal(state);
    this.watching = new Watching(this);
    registerHandlers(this);
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

  async run(): Promise<RolloutView> {
    // Everything runs shielded: a cancel is a wish like any other, and going back must run to its end.
    const root = CancellationScope.current();
    root.cancelRequested.catch(() =>
      this.leaveWith({ outcome: 'rolledBack', reason: 'canceled through Temporal', code: null, canceled: true }),
    );
    return CancellationScope.nonCancellable(() => this.shielded());
  }

  private async shielded(): Promise<RolloutView> {
    const { state } = this;
    try {
      if (state.prepared === null) await this.prepare();
      if (state.leave === null) await this.walk();
    } catch (error) {
      if (!(error instanceof Leaving)) {
        if (state.outcome === 'failed') await this.sayEnd();
        throw error;
      }
    }
    if (state.leave !== null) await this.goBack(state.leave);
    else this.journal.end('succeeded', `release ${state.release?.version} is live`, null);
    return this.close();
  }

  // ---------------------------------------------------------------- preparing

  private async prepare(): Promise<void> {
    const { state, journal } = this;
    journal.enter('preparing');
    try {
      const input = state.type === 'undo' ? await this.undoInput() : this.input;
      const parsed = await light.parse({ input, app: state.app, environment: state.environment, type: state.type });
      state.spec = parsed.spec;
      state.searchAttributes = parsed.searchAttributes;
      state.limits = parsed.limits;
      state.startedBy = parsed.spec.startedBy ?? null;
      state.message = parsed.spec.message ?? null;
      journal.publish();
    } catch (error) {
      throw this.refused(error);
    }
    this.began = this.tell('began');
    const prepared = await this.readTarget();
    if (prepared.planSchema !== KNOWN_PLAN) {
      const message = `this worker does not know plan schema ${prepared.planSchema}; update the workers`;
      throw this.refused(ApplicationFailure.nonRetryable(message, 'SLUICE_SETUP'));
    }
    state.prepared = prepared;
    state.spec = prepared.spec;
    state.revision = prepared.before.revision;
    state.environments = prepared.before.environments;
    state.stages = stageViews(prepared.plan);
    journal.event(
      `plan of ${prepared.plan.stages.length} stages made; ${prepared.before.split.stable ?? 'nothing'} is live`,
    );
  }

  private async undoInput(): Promise<RolloutInput> {
    const record = await light.readUndo({ app: this.state.app, environment: this.state.environment });
    // Who starts this one and why is not who started the one it takes back.
    const { startedBy: _by, message: _why, ...spec } = record.spec;
    return {
      ...spec,
      ...pick(this.input, ['startedBy', 'message']),
      release: { version: Number(record.version) },
    };
  }

  /** `prepare` on the account's queue. Nobody serving the account is said loudly, and it goes on when somebody comes. */
  private async readTarget(): Promise<Prepared> {
    const { state, journal, spec } = this;
    for (let wait = spec.deadlines.worker; ; wait = Math.min(wait * 2, 3_600_000)) {
      try {
        const prepared = await this.interruptible(
          () => preparing(spec, wait).prepare({ spec, run: state.run }),
          () => this.wish.retry !== undefined,
        );
        if (state.phase === 'stuck') journal.enter('preparing', 'a worker came');
        return prepared;
      } catch (error) {
        if (error instanceof Leaving) throw error;
        if (error instanceof AskedAgain) {
          this.wish = {};
          continue;
        }
        if (!nobodyCame(error)) throw this.refused(error);
        const { account, region, platform } = spec.target;
        journal.enter(
          'stuck',
          `no worker serves account ${account} in ${region} (${platform}); start one with \`sluice worker --account ${account} --region ${region}\`. Nothing has been changed`,
          'SLUICE_NO_WORKER',
        );
        void this.notify('stuck');
      }
    }
  }

  /** A refusal before anything was touched: the only way a rollout closes as Failed. */
  private refused(error: unknown): ApplicationFailure {
    const { code, message } = failureOf(error);
    this.journal.end('failed', message, code);
    return ApplicationFailure.create({ message, type: code ?? 'SLUICE_PROVIDER', nonRetryable: true });
  }

  // ---------------------------------------------------------------- the walk

  private async walk(): Promise<void> {
    const { state } = this;
    const { stages } = this.prepared.plan;
    for (; state.cursor.stage < stages.length; state.cursor = { stage: state.cursor.stage + 1, step: 0 }) {
      const stage = stages[state.cursor.stage] as Stage;
      for (; state.cursor.step < stage.steps.length; state.cursor = { ...state.cursor, step: state.cursor.step + 1 }) {
        const step = stage.steps[state.cursor.step] as Step;
        await this.breathe();
        await this.pauseIfAsked();
        this.journal.stepBegins(stage, step);
        await this.perform(stage, step);
        state.step = {};
      }
      this.journal.stageEnds(stage);
    }
  }

  /** Between two steps: leave if asked to, continue as new if this run has grown long. */
  private async breathe(): Promise<void> {
    if (this.state.leave !== null) throw new Leaving();
    if (this.mustContinue()) await this.continue();
  }

  private async perform(stage: Stage, step: Step): Promise<void> {
    switch (step.kind) {
      case 'deploy':
        return this.deploy(step);
      case 'warm':
        this.state.touched = true;
        return this.attempt('deploying', () =>
          forward(
            this.spec,
            step.deadline,
            `ready ${this.spec.configuration.provisionedConcurrency} instances of ${this.state.release?.version}`,
          ).warm({
            spec: this.spec,
            release: this.release(),
          }),
        );
      case 'probe':
        return this.probe(stage, step.probes, step.deadline);
      case 'shift':
        if (this.state.full) return;
        return this.write(step.id, 'shifting', step.weight, (fence) =>
          forward(this.spec, step.deadline, `give ${this.release().version} ${step.weight} % of traffic`).shift({
            spec: this.spec,
            stable: this.stable(),
            candidate: this.release().version,
            weight: step.weight,
            fence,
          }),
        );
      case 'promote':
        await this.write(step.id, 'promoting', 100, (fence) =>
          forward(this.spec, step.deadline, `make ${this.release().version} the stable release`).promote({
            spec: this.spec,
            candidate: this.release().version,
            fence,
          }),
        );
        this.state.promoted = true;
        this.state.full = false;
        return;
      case 'bake':
        return this.bake(stage, step);
      case 'approve':
        return this.approve(stage, step);
      case 'finish':
        await this.watching.stop();
        return;
    }
  }

  private async deploy(step: Extract<Step, { kind: 'deploy' }>): Promise<void> {
    const { state, spec } = this;
    const { before } = this.prepared;
    state.touched ||= step.into === 'idle';
    await this.attempt('deploying', async () => {
      const summary =
        step.into === 'idle' ? 'deploy the release into the idle environment' : 'deploy the release, without traffic';
      const done = await forward(spec, step.deadline, summary).deploy({
        spec,
        before,
        mark: this.mark(step.id),
        ...(step.into ? { into: step.into } : {}),
      });
      state.release = done.release;
      state.environments = done.environments ?? state.environments;
      this.journal.event(`release ${done.release.version} is deployed, without traffic`);
    });
    if (state.release?.version === before.split.stable) {
      this.leaveWith({
        outcome: 'nothingToRelease',
        reason: `release ${before.split.stable} is live already and identical`,
        code: null,
      });
      throw new Leaving();
    }
  }

  private async probe(stage: Stage, probes: string[], deadline: number): Promise<void> {
    const version = this.release().version;
    await this.attempt(this.state.weight > 0 ? 'baking' : 'deploying', async () => {
      const report = await forward(this.spec, deadline, `probe ${version}: ${probes.join(', ')}`, 'watch').probe({
        spec: this.spec,
        version,
        probes,
      });
      if (!report.passed) throw ApplicationFailure.nonRetryable(report.why ?? 'a probe failed', 'SLUICE_PROBE');
      this.journal.event(`stage ${stage.name}: probes passed: ${report.lines.join('; ')}`);
    });
  }

  /** A write to the target: noted before it is tried, fenced, read back. A foreign change stops the hands. */
  private async write(
    step: string,
    phase: Phase,
    weight: number,
    call: (fence: { revision: string | null; mark: string }) => Promise<Written>,
  ): Promise<void> {
    const { state } = this;
    const fence = { revision: state.revision, mark: this.mark(step) };
    const candidate = this.release().version;
    const split =
      weight === 100
        ? { stable: candidate, candidate: null, weight: 0 }
        : { stable: this.prepared.before.split.stable, candidate, weight };
    state.attempted.push({ mark: fence.mark, split });
    state.touched = true;
    await this.attempt(phase, async () => {
      const written = await call({ ...fence, revision: state.revision });
      state.revision = written.revision;
      // The watcher of the smaller weight saw everything up to this write; its report is not a verdict on the next stage.
      this.watching.drop();
      state.weight = weight;
      state.weightSince = Date.now();
      state.judge = null;
      state.verdict = null;
      if (weight === 100 && state.environments !== null)
        state.environments = { ...state.environments, live: sideOf(state.environments, candidate) };
      this.watching.ensure();
      this.journal.event(
        weight === 100 ? `${candidate} is the stable release` : `${candidate} has ${weight} % of traffic`,
      );
    });
  }

  /** Runs one call of a step in its phase; what fails there sends the rollout back, a foreign change makes it stuck. */
  private async attempt(phase: Phase, work: () => Promise<void>): Promise<void> {
    for (;;) {
      this.journal.enter(phase);
      try {
        return await this.interruptible(work);
      } catch (error) {
        if (error instanceof Leaving) throw error;
        if (error instanceof AskedAgain) continue;
        const { code, message } = failureOf(error);
        if (!isForeign(error)) {
          this.leaveWith({ outcome: 'rolledBack', reason: message, code });
          throw new Leaving();
        }
        await this.foreignChange(message);
      }
    }
  }

  /** Law 6: nothing is written until a person says `abort --force` or `retry --adopt`. */
  private async foreignChange(message: string): Promise<void> {
    this.journal.enter('stuck', `foreignChange: ${message}`, 'SLUICE_FOREIGN_CHANGE');
    void this.notify('stuck');
    for (let remind = this.spec.health.policy.remindEvery; ; remind = Math.min(remind * 2, LONGEST_REMINDER)) {
      const waited = await this.until(() => this.wish.adopt === true, remind, 'remind of the foreign change', {
        deaf: true,
      });
      if (waited === 'asked') return this.adopt();
      void this.notify('reminder');
    }
  }

  /** A person takes the target as it is: its revision is ours from now on. */
  private async adopt(): Promise<void> {
    this.wish = {};
    const now = await restoring(this.spec, 60_000, 'take the target as it is').adopt({ spec: this.spec });
    this.state.revision = now.revision;
    this.state.attempted.push({ mark: ADOPTED, split: now.split });
    this.journal.event(
      `adopted the foreign change: the target is at ${now.split.stable}, candidate ${now.split.weight} %`,
    );
  }

  // ---------------------------------------------------------------- waits

  private async bake(stage: Stage, step: BakeStep): Promise<void> {
    const { state, journal } = this;
    if (state.full && !state.promoted) return;
    const here = state.step;
    for (;;) {
      this.watching.ensure();
      here.until = here.left === undefined ? (here.until ?? Date.now() + step.duration) : Date.now() + here.left;
      delete here.left;
      journal.enter('baking');
      journal.deadline(here.until);
      const left = here.until - Date.now();
      const asked = () =>
        this.wish.skip !== undefined || this.wish.promote !== undefined || this.wish.pause !== undefined;
      const waited = await this.until(asked, left, `bake ${stage.name} for ${duration(left)}`);
      if (waited === 'again') continue;
      if (this.wish.pause !== undefined) {
        here.left = Math.max(0, here.until - Date.now());
        await this.pauseIfAsked();
        if (this.wish.promote === undefined) continue;
      }
      const past = this.wish.promote ?? this.wish.skip;
      this.wish = {};
      if (await this.judged(stage, step, past)) return;
    }
  }

  /** The end of a bake: only the watcher's counts may pass it. False: the bake goes on, with what `left` says now. */
  private async judged(stage: Stage, step: BakeStep, past: string | undefined): Promise<boolean> {
    const { state, journal } = this;
    const here = state.step;
    const report = await this.watching.stop();
    if (report === null) {
      here.lostReports = (here.lostReports ?? 0) + 1;
      if (here.lostReports <= LOST_REPORTS) {
        journal.event(
          `stage ${stage.name}: the watcher's counts were lost with its worker; baking on for ${duration(REBAKE)}`,
        );
        here.left = Math.min(step.duration, REBAKE);
        return false;
      }
    }
    const verdict = report?.verdict ?? { state: 'blind' as const, why: 'no worker could watch the candidate' };
    const policy = this.spec.health.policy;
    if (verdict.state === 'unhealthy') {
      await this.unhealthy(report as WatchReport);
      return false;
    }
    if (verdict.state === 'healthy' || (past !== undefined && verdict.state !== 'blind')) {
      journal.event(
        `stage ${stage.name}: ${past === undefined ? 'passed' : `bake ended early by ${past}`}: ${verdict.why}`,
      );
      return true;
    }
    if (
      verdict.state !== 'blind' &&
      this.spec.allowUngated &&
      this.spec.health.probes.length + this.spec.health.metrics.length === 0
    )
      return true;
    const answer = verdict.state === 'noData' ? policy.onNoData : policy.onUndecided;
    if (answer === 'promote' && verdict.state !== 'blind') {
      journal.event(`stage ${stage.name}: passed by policy: ${verdict.why}`);
      return true;
    }
    if (answer === 'rollback') {
      this.leaveWith({
        outcome: 'rolledBack',
        reason: `stage ${stage.name}: ${verdict.state}: ${verdict.why}`,
        code: null,
      });
      throw new Leaving();
    }
    return this.hold(stage, `stage ${stage.name}: ${verdict.state}: ${verdict.why}`, step);
  }

  /** An unhealthy verdict: back, or by policy a hold. */
  private async unhealthy(report: WatchReport): Promise<void> {
    this.state.errors = report.errors.map((e) => ({ ...e, what: clean(e.what) }));
    if (this.spec.health.policy.onUnhealthy === 'rollback') {
      this.leaveWith({
        outcome: 'rolledBack',
        reason: `${this.release().version} is unhealthy: ${report.verdict.why}`,
        code: null,
      });
      throw new Leaving();
    }
    const stage = this.prepared.plan.stages[this.state.cursor.stage] as Stage;
    await this.hold(stage, `${this.release().version} is unhealthy: ${report.verdict.why}`, null);
  }

  /** Waits for a person, watching on: reminders, then back. True: the stage is passed. With `bake`, it is judged anew at each reminder. */
  private async hold(stage: Stage, why: string, bake: BakeStep | null): Promise<boolean> {
    const { state, journal } = this;
    const policy = this.spec.health.policy;
    const here = state.step;
    here.hold ??= { why, until: Date.now() + policy.maxHold, undecided: bake !== null };
    journal.enter('held', why);
    journal.deadline(here.hold.until);
    void this.notify('waiting');
    for (;;) {
      if (bake !== null) this.watching.ensure();
      const wait = Math.min(policy.remindEvery, here.hold.until - Date.now());
      const asked = () =>
        this.wish.promote !== undefined || this.wish.retry !== undefined || here.gate?.decision != null;
      await this.until(asked, wait, `hold ${stage.name}: ${clean(why, 120)}`, { deaf: bake === null });
      if (here.gate?.decision != null) return true;
      const { promote, retry } = this.wish;
      this.wish = {};
      if (promote !== undefined && bake !== null) {
        const report = await this.watching.stop();
        if (report?.verdict.state === 'unhealthy') await this.unhealthy(report);
        journal.event(`stage ${stage.name}: promoted by ${promote} although ${why}`);
        delete here.hold;
        return true;
      }
      if (retry !== undefined) {
        delete here.hold;
        delete here.until;
        if (bake === null) state.judge = null;
        return false;
      }
      if (Date.now() >= here.hold.until) {
        this.leaveWith({
          outcome: 'rolledBack',
          reason: `${why}; nobody decided within ${duration(policy.maxHold)}`,
          code: null,
        });
        throw new Leaving();
      }
      if (bake !== null) {
        const report = await this.watching.stop();
        if (report?.verdict.state === 'unhealthy') await this.unhealthy(report);
        if (report?.verdict.state === 'healthy') {
          journal.event(`stage ${stage.name}: passed while held: ${report.verdict.why}`);
          delete here.hold;
          return true;
        }
      }
      void this.notify('reminder');
    }
  }

  private async approve(stage: Stage, step: ApproveStep): Promise<void> {
    const { state, journal } = this;
    const here = state.step;
    here.gate ??= { stage: stage.name, until: Date.now() + step.approval.within, decision: null };
    const { gate } = here;
    if (state.weight > 0) this.watching.ensure();
    if (here.hold === undefined) {
      journal.enter('awaitingApproval', `stage ${stage.name} waits for an approval`);
      void this.notify('waiting');
    }
    while (gate.decision === null && here.hold === undefined && Date.now() < gate.until) {
      journal.enter('awaitingApproval', `stage ${stage.name} waits for an approval`);
      journal.deadline(gate.until);
      const asked = () => gate.decision !== null || this.wish.pause !== undefined;
      await this.until(
        asked,
        gate.until - Date.now(),
        `approval of ${stage.name} within ${duration(step.approval.within)}`,
      );
      await this.pauseIfAsked(gate);
      if (state.weight > 0) this.watching.ensure();
    }
    if (gate.decision === null) await this.approvalTimedOut(stage, step);
    this.decide(stage, gate);
  }

  private async approvalTimedOut(stage: Stage, step: ApproveStep): Promise<void> {
    const why = `stage ${stage.name} was not approved within ${duration(step.approval.within)}`;
    if (step.approval.onTimeout === 'rollback') {
      this.leaveWith({ outcome: 'rolledBack', reason: why, code: null });
      throw new Leaving();
    }
    while (this.state.step.gate?.decision == null) await this.hold(stage, why, null);
  }

  private decide(stage: Stage, gate: Gate): void {
    const { decision } = gate;
    if (decision === null) return;
    const said = decision.comment === null ? '' : `: ${decision.comment}`;
    if (decision.approved) {
      this.journal.event(`stage ${stage.name} approved${said}`, decision.by);
      return;
    }
    this.leaveWith({
      outcome: 'rejected',
      reason: `stage ${stage.name} was rejected by ${decision.by}${said}`,
      code: null,
    });
    throw new Leaving();
  }

  /** Keeps the weight; the watcher goes on. An open approval can be answered meanwhile and its deadline runs on. */
  private async pauseIfAsked(gate?: Gate): Promise<void> {
    const { state, journal } = this;
    if (this.wish.pause !== undefined && state.pause === null) {
      const now = Date.now();
      state.pause = { by: this.wish.pause.by, since: now, until: now + this.spec.deadlines.pause };
    }
    delete this.wish.pause;
    if (state.pause === null) return;
    const { pause } = state;
    journal.enter('paused', `paused by ${pause.by}`);
    journal.deadline(pause.until);
    const over = gate === undefined ? pause.until : Math.min(pause.until, gate.until);
    const go = () =>
      this.wish.resume !== undefined || this.wish.promote !== undefined || gate?.decision?.approved === false;
    let waited: Waited = go() ? 'asked' : 'again';
    while (waited === 'again')
      waited = await this.until(go, over - Date.now(), `paused, for ${duration(over - Date.now())} at most`);
    delete this.wish.resume;
    state.pause = null;
    if (waited === 'asked' || (gate !== undefined && over === gate.until)) return;
    this.leaveWith({
      outcome: 'rolledBack',
      reason: `paused by ${pause.by} for longer than ${duration(this.spec.deadlines.pause)}`,
      code: null,
    });
    throw new Leaving();
  }

  /**
   * Waits for `wish`, at most `ms`. Leaves when the rollout must, continues as new when this run has grown long, and
   * goes through an unhealthy verdict first (then the answer is `again`). `deaf`: the verdict is known and held.
   */
  private async until(
    wish: () => boolean,
    ms: number,
    summary: string,
    options: { deaf?: boolean } = {},
  ): Promise<Waited> {
    const { state, watching } = this;
    const unhealthy = () => options.deaf !== true && watching.unhealthy !== null;
    await condition(() => wish() || state.leave !== null || unhealthy() || this.mustContinue(), Math.max(1, ms), {
      summary,
    });
    if (state.leave !== null) throw new Leaving();
    if (unhealthy()) {
      await this.unhealthy(watching.takeUnhealthy());
      return 'again';
    }
    if (wish()) return 'asked';
    if (this.mustContinue()) await this.continue();
    return 'elapsed';
  }

  // ---------------------------------------------------------------- going back

  private async goBack(leave: Leave): Promise<void> {
    const { state, journal } = this;
    this.watching.drop();
    if (state.touched && leave.outcome !== 'nothingToRelease') await this.restore(leave);
    state.weight = 0;
    journal.failStage();
    journal.end(leave.outcome, leave.reason, leave.code);
  }

  /** One activity that brings the target to the before-state, until it is there, however often the provider fails. */
  private async restore(leave: Leave): Promise<void> {
    const { state, journal, spec } = this;
    const { before } = this.prepared;
    const to = before.split.stable ?? 'no release (first deployment)';
    journal.enter('restoring', leave.reason, leave.code);
    for (let chunk = spec.deadlines.stuckAfter; ; chunk = RESTORE_CHUNK) {
      delete this.wish.retry;
      const scope = new CancellationScope();
      const force = state.force;
      const done = scope.run(() =>
        restoring(spec, chunk, `send all traffic back to ${to}`).restore({
          spec,
          before,
          attempted: state.attempted,
          lastRevision: state.revision,
          mark: this.mark('restore'),
          force,
        }),
      );
      const outcome = await Promise.race([
        done.then(
          (written) => ({ written }),
          (error: unknown) => ({ error }),
        ),
        condition(() => this.wish.retry !== undefined || state.force !== force || this.mustContinue()).then(
          () => 'again' as const,
        ),
      ]);
      if (outcome === 'again') {
        scope.cancel();
        if (this.mustContinue()) await this.continue();
        continue;
      }
      if ('written' in outcome) {
        state.revision = outcome.written.revision;
        state.environments = before.environments;
        journal.event(`all traffic is back on ${to}`);
        return;
      }
      await this.notRestored(outcome.error);
    }
  }

  private async notRestored(error: unknown): Promise<void> {
    const { state, journal } = this;
    const { code, message } = failureOf(error);
    const foreign = isForeign(error);
    journal.enter('stuck', `${foreign ? 'foreignChange: ' : 'going back has not succeeded yet: '}${message}`, code);
    void this.notify('stuck');
    if (!foreign) return;
    for (let remind = this.spec.health.policy.remindEvery; ; remind = Math.min(remind * 2, LONGEST_REMINDER)) {
      const { force } = state;
      await condition(() => state.force !== force || this.wish.adopt === true || this.mustContinue(), remind, {
        summary: 'remind of the foreign change',
      });
      if (this.mustContinue()) await this.continue();
      if (state.force) return;
      if (this.wish.adopt === true) {
        return this.adopt();
      }
      void this.notify('reminder');
    }
  }

  // ---------------------------------------------------------------- the end

  private async close(): Promise<RolloutView> {
    const { state, journal } = this;
    await this.sayEnd();
    journal.remember();
    await condition(allHandlersFinished);
    if (state.leave?.canceled === true)
      throw new CancelledFailure(
        `canceled; all traffic is back on ${this.state.prepared?.before.split.stable ?? 'what it was on'}`,
      );
    return journal.view();
  }

  /** Law 13: every end speaks, a refusal's too. */
  private async sayEnd(): Promise<void> {
    await this.began;
    await Promise.allSettled([this.tell('ended'), this.notify('ended')]);
  }

  private async tell(kind: 'began' | 'ended'): Promise<void> {
    const { state } = this;
    const at = Date.now();
    const event =
      kind === 'began'
        ? { kind, run: state.run, strategy: state.type, at }
        : {
            kind,
            run: state.run,
            at,
            entry: state.outcome === 'succeeded' ? this.ledgerEntry(at) : null,
            undo: state.outcome === 'succeeded' ? this.undoRecord() : null,
          };
    await light
      .tellTarget({ app: state.app, environment: state.environment, event })
      .catch((error: unknown) => log.warn('the companion could not be told', { why: failureOf(error).message }));
  }

  private ledgerEntry(at: number): LedgerEntry {
    const { state } = this;
    const release = this.release();
    return {
      version: release.version,
      digest: release.digest,
      since: at,
      until: null,
      by: state.startedBy,
      run: state.run,
      strategy: state.type,
      message: state.message,
      replaced: this.prepared.before.split.stable,
    };
  }

  private undoRecord() {
    const version = this.prepared.before.split.stable;
    if (version === null) return null;
    return { version, window: this.spec.rollbackWindow, spec: { ...this.spec } as unknown as RolloutInput };
  }

  notify(type: 'waiting' | 'stuck' | 'ended' | 'reminder'): Promise<void> {
    if (this.state.spec === null || this.spec.notify.length === 0) return Promise.resolve();
    return light
      .notify({ spec: this.spec, event: { type, view: this.journal.view() } })
      .catch((error: unknown) => this.journal.event(`a webhook could not be told: ${failureOf(error).message}`));
  }

  // ---------------------------------------------------------------- small things

  leaveWith(leave: Leave): void {
    const { state } = this;
    if (state.leave !== null || state.phase === 'done') return;
    state.leave = { ...leave, reason: clean(leave.reason, 600) };
  }

  /** Runs a call that a leave, an unhealthy verdict or `asked` (AskedAgain) cuts short. What it may still do late is fenced. */
  private async interruptible<T>(work: () => Promise<T>, asked: () => boolean = () => false): Promise<T> {
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
    await this.unhealthy(watching.takeUnhealthy());
    throw new AskedAgain();
  }

  private mustContinue(): boolean {
    const info = workflowInfo();
    return (
      info.continueAsNewSuggested ||
      info.historyLength >= this.state.limits.history ||
      this.signals >= this.state.limits.signals
    );
  }

  private async continue(): Promise<never> {
    const { state } = this;
    const report = await this.watching.stop();
    if (report?.verdict.state === 'unhealthy' && state.leave === null) await this.unhealthy(report);
    await condition(allHandlersFinished);
    return continueAsNew<(input: RolloutInput, carried: RolloutState) => Promise<RolloutView>>(this.input, state);
  }

  private release() {
    if (this.state.release === null)
      throw ApplicationFailure.nonRetryable('the plan uses a release before it deploys one', 'SLUICE_SPEC');
    return this.state.release;
  }

  private stable(): string {
    const { stable } = this.prepared.before.split;
    if (stable === null)
      throw ApplicationFailure.nonRetryable('the plan shifts traffic although nothing was live', 'SLUICE_SPEC');
    return stable;
  }

  private mark(step: string): string {
    return mark(this.state.app, this.state.environment, this.state.run, step);
  }
}

function sideOf(environments: { blue: string | null; green: string | null }, version: string): 'blue' | 'green' | null {
  if (environments.blue === version) return 'blue';
  return environments.green === version ? 'green' : null;
}

function pick(from: RolloutInput, keys: string[]): RolloutInput {
  return Object.fromEntries(keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]]));
}
