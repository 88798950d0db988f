/** The steps and states that wait: bakes, approvals, holds and pauses, each watched and each with a deadline. */
import type { WatchReport } from '../../src/health/types.js';
import { isJudged } from '../../src/model/evidence.js';
import { clean, duration } from '../../src/model/text.js';
import type { ApproveStep, BakeStep, CompareStep, Stage } from '../../src/strategies/types.js';
import { together } from './gate.js';
import type { Waited } from './leave.js';
import { BakesAgain, Leaving, LONGEST_REMINDER } from './leave.js';
import type { Rollout } from './rollout.js';
import type { Gate } from './state.js';

/** Bakes whose counts were lost with a worker are run again this often before a person is asked. */
const LOST_REPORTS = 3;

/** Length of such a second bake, in ms: enough for any source to be read again. */
const REBAKE = 15_000;

export class Waits {
  constructor(private readonly rollout: Rollout) {}

  async bake(stage: Stage, step: BakeStep): Promise<void> {
    const { state, journal } = this.rollout;
    // What is passed over are the weights that the candidate does not get.
    if (state.full && !state.promoted && step.weight !== state.weight) return;
    const here = state.step;
    for (;;) {
      if (here.probeBack !== undefined) await this.probeBack(stage, step);
      here.until = here.left === undefined ? (here.until ?? Date.now() + step.duration) : Date.now() + here.left;
      delete here.left;
      this.rollout.watching.ensure();
      journal.enter('baking', here.again?.why ?? null);
      journal.deadline(here.until);
      const left = here.until - Date.now();
      const asked = () =>
        this.rollout.wish.skip !== undefined ||
        this.rollout.wish.promote !== undefined ||
        this.rollout.wish.pause !== undefined ||
        this.rollout.watching.passed !== null;
      const waited = await this.rollout.until(asked, left, `bake ${stage.name} for ${duration(left)}`);
      if (waited === 'again') continue;
      if (this.rollout.wish.pause !== undefined) {
        here.left = Math.max(0, here.until - Date.now());
        await this.pauseIfAsked();
        if (here.probeBack !== undefined || this.rollout.wish.promote === undefined) continue;
      }
      const past = this.rollout.wish.promote ?? this.rollout.wish.skip;
      this.rollout.wish = {};
      if (!(await this.judged(stage, step, past))) continue;
      // What came while the last counts were read was for this bake, and not for the next one.
      delete this.rollout.wish.skip;
      delete this.rollout.wish.promote;
      return;
    }
  }

  /** The end of a bake: only the watcher's counts may pass it. False: the bake goes on, with what `left` says now. */
  private async judged(stage: Stage, step: BakeStep, past: string | undefined): Promise<boolean> {
    const { state, journal } = this.rollout;
    const here = state.step;
    const { passed } = this.rollout.watching;
    this.rollout.watching.passed = null;
    // The watcher that took over from the one that passed early may not even have begun.
    const report = (await this.rollout.watching.stop()) ?? passed;
    if (step.warns === true) return this.rollout.look.ends(report, past);
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
    // What was counted before that is no verdict of now.
    if (report === null && state.verdict !== null) state.verdict = { ...state.verdict, ...verdict };
    const policy = this.rollout.policy();
    if (verdict.state === 'unhealthy') {
      await this.unhealthy(report as WatchReport);
      return false;
    }
    if (verdict.state === 'healthy' || (past !== undefined && verdict.state !== 'blind')) {
      journal.event(
        `stage ${stage.name}: ${past === undefined ? 'passed' : `bake ended early by ${past}`}: ${verdict.why}`,
      );
      delete here.hold;
      return true;
    }
    // It passed early, and what came in the moment since does not: the bake goes on to its end.
    if (passed !== null && past === undefined && Date.now() < (here.until ?? 0)) return false;
    if (verdict.state !== 'blind' && this.rollout.spec.allowUngated && !isJudged(this.rollout.spec.health)) return true;
    const answer = verdict.state === 'noData' ? policy.onNoData : policy.onUndecided;
    if (report?.verdict.few === true && answer !== 'promote' && here.again === undefined) {
      here.again = { why: `once more ${duration(step.duration)} for more requests: ${verdict.state}: ${verdict.why}` };
      here.left = step.duration;
      return false;
    }
    // What the evidence speaks against is not passed by a policy: a person has to say so.
    if (answer === 'promote' && report !== null && verdict.state !== 'blind' && report.verdict.logE <= 0) {
      journal.event(`stage ${stage.name}: passed by policy: ${verdict.why}`);
      return true;
    }
    if (answer === 'rollback') {
      this.rollout.leaveWith({
        outcome: 'rolledBack',
        reason: `stage ${stage.name}: ${verdict.state}: ${verdict.why}`,
        code: null,
      });
      throw new Leaving();
    }
    return this.hold(stage, `stage ${stage.name}: ${verdict.state}: ${verdict.why}`, step);
  }

  /** An unhealthy verdict: back, or by policy a hold. */
  async unhealthy(report: WatchReport): Promise<void> {
    this.rollout.state.errors = report.errors.map((e) => ({ ...e, what: clean(e.what) }));
    if (this.rollout.look.only) return this.rollout.look.unhealthy(report);
    if (this.mayProbeBack(report)) {
      this.rollout.state.step.probeBack = { why: report.verdict.why, until: null };
      return;
    }
    if (this.rollout.policy().onUnhealthy === 'rollback') {
      this.rollout.leaveWith({
        outcome: 'rolledBack',
        reason: `${this.rollout.release().version} is unhealthy: ${report.verdict.why}`,
        code: null,
        unhealthy: true,
      });
      throw new Leaving();
    }
    await this.rollout.lookForErrors();
    const stage = this.rollout.prepared.plan.stages[this.rollout.state.cursor.stage] as Stage;
    this.approvalsLapse();
    await this.hold(stage, `${this.rollout.release().version} is unhealthy: ${report.verdict.why}`, null, true);
  }

  /** Who has approved before now did not know what the candidate does, and is asked again. A rejection stays. */
  private approvalsLapse(): void {
    const { gate } = this.rollout.state.step;
    if (gate === undefined || gate.approvals.length === 0 || gate.decision?.approved === false) return;
    const by = together(gate.approvals.map((each) => each.by));
    gate.approvals = [];
    gate.decision = null;
    this.rollout.journal.event(
      `stage ${gate.stage}: the approval by ${by} is from before the candidate turned unhealthy and does not count`,
    );
  }

  /** A run goes on with the hold over an unhealthy candidate that the run before it was in, whatever the step is. */
  async holdOn(stage: Stage): Promise<void> {
    const { hold } = this.rollout.state.step;
    if (hold?.unhealthy === true) await this.hold(stage, hold.why, null, true);
  }

  /**
   * Only a ceiling was crossed, at 100 %, where nothing was left to compare with: a shared outage looks the same. Once in
   * a rollout that is worth half the traffic back, to see which it is.
   */
  private mayProbeBack({ verdict }: WatchReport): boolean {
    const { state } = this.rollout;
    return (
      verdict.probeBack && !state.probedBack && state.promoted && state.weight === 100 && this.comparison() !== null
    );
  }

  /** The comparison that the plan has for the bake that runs. */
  private comparison(): CompareStep | null {
    const { cursor } = this.rollout.state;
    const next = this.rollout.prepared.plan.stages[cursor.stage]?.steps[cursor.step + 1];
    return this.step()?.kind === 'bake' && next?.kind === 'compare' ? next : null;
  }

  /** Half the traffic back for as long as the bake, watched; then forward again, and the bake once more. */
  private async probeBack(stage: Stage, step: BakeStep): Promise<void> {
    const { state, journal, watching, steps } = this.rollout;
    const { id, weight, duration: time, deadline } = this.comparison() as CompareStep;
    const here = state.step;
    const back = here.probeBack as NonNullable<typeof here.probeBack>;
    if (!state.probedBack) {
      state.probedBack = true;
      journal.event(`stage ${stage.name}: ${back.why}; back to ${weight} % to compare with the old release`);
      await steps.shift(`${id}.back`, weight, deadline);
    }
    for (;;) {
      back.until ??= Date.now() + time;
      watching.ensure();
      journal.enter('baking', `back at ${weight} %, to see whether the release is at fault`);
      journal.deadline(back.until);
      const left = back.until - Date.now();
      const waited = await this.rollout.until(() => false, left, `compare at ${weight} % for ${duration(left)}`);
      // The last counts decide too: a release that they speak against does not go forward.
      const report = waited === 'again' ? null : await watching.stop();
      if (report?.verdict.state === 'unhealthy') await this.unhealthy(report);
      else if (waited !== 'again') break;
      // A person has looked at it and wants the comparison made once more.
      back.until = null;
    }
    await steps.promote(`${id}.forward`, deadline);
    journal.event(`stage ${stage.name}: the release is no worse than the old one; forward again`);
    delete here.probeBack;
    delete here.left;
    // A skip was for the bake before the comparison.
    delete this.rollout.wish.skip;
    here.until = Date.now() + step.duration;
  }

  private step() {
    const { cursor, prepared } = this.rollout.state;
    return prepared?.plan.stages[cursor.stage]?.steps[cursor.step];
  }

  /**
   * Waits for a person, watching on: reminders, then back. True: the stage is passed. With `bake`, more evidence answers too:
   * the watcher ends once the verdict is healthy, and what it has counted is read anew for each reminder. `deaf`: the verdict
   * is known to be unhealthy, and held. Such a hold can come within another: it says what it is about itself, has the time of
   * the first, and its answer ends both.
   */
  private async hold(stage: Stage, why: string, bake: BakeStep | null, deaf = false): Promise<boolean> {
    const { state, journal } = this.rollout;
    const policy = this.rollout.policy();
    const here = state.step;
    const until = here.hold?.until ?? Date.now() + policy.maxHold;
    // The run before this one has said so.
    const known = state.phase === 'held' && state.reason === why;
    here.hold = { why, until, undecided: bake !== null, unhealthy: deaf };
    journal.enter('held', why);
    journal.deadline(until);
    if (!known) void this.rollout.herald.notify('waiting');
    for (;;) {
      if (bake !== null || (!deaf && state.weight > 0)) this.rollout.watching.ensure();
      const wait = Math.min(policy.remindEvery, until - Date.now());
      const asked = () =>
        this.rollout.wish.promote !== undefined ||
        this.rollout.wish.retry !== undefined ||
        here.gate?.decision != null ||
        (bake !== null && this.rollout.watching.passed !== null);
      await this.rollout.until(asked, wait, `hold ${stage.name}: ${clean(why, 120)}`, { deaf });
      if (here.gate?.decision != null) {
        delete here.hold;
        if (deaf) here.harmKnown = true;
        return true;
      }
      if (this.holdIsOver()) return false;
      if (bake !== null && this.rollout.watching.passed !== null) {
        return this.passes(stage, this.rollout.watching.passed);
      }
      const { promote, retry } = this.rollout.wish;
      this.rollout.wish = {};
      if (promote !== undefined && bake !== null) {
        const report = await this.rollout.watching.stop();
        if (await this.turnsUnhealthy(report)) return false;
        journal.event(`stage ${stage.name}: promoted by ${promote} although ${why}`);
        delete here.hold;
        return true;
      }
      if (retry !== undefined) {
        // The next watcher waits for the end of a bake, and no longer for the first healthy verdict.
        const report = await this.rollout.watching.stop();
        if (bake !== null && (await this.turnsUnhealthy(report))) return false;
        delete here.hold;
        delete here.until;
        delete here.left;
        delete here.again;
        if (here.probeBack !== undefined) here.probeBack.until = null;
        if (bake === null) state.judge = null;
        if (deaf) this.bakeAgain();
        return false;
      }
      if (Date.now() >= until) {
        this.rollout.leaveWith({
          outcome: 'rolledBack',
          reason: `${why}; nobody decided within ${duration(policy.maxHold)}`,
          code: null,
        });
        throw new Leaving();
      }
      if (bake !== null) {
        const report = await this.rollout.watching.stop();
        if (await this.turnsUnhealthy(report)) return false;
        if (report?.verdict.state === 'healthy') return this.passes(stage, report);
      }
      void this.rollout.herald.notify('reminder');
    }
  }

  /** Goes back to the bake of the present weight where it is over; one that runs, or is yet to come, bakes anyway. */
  private bakeAgain(): void {
    const { cursor, weight } = this.rollout.state;
    if (this.step()?.kind === 'bake') return;
    for (const [stage, { steps }] of this.rollout.prepared.plan.stages.entries()) {
      const step = steps.findIndex((each) => each.kind === 'bake' && each.weight === weight);
      const over = stage < cursor.stage || (stage === cursor.stage && step < cursor.step);
      if (step !== -1 && over) throw new BakesAgain({ stage, step });
    }
  }

  /** Whether the last counts of a hold are unhealthy. True once that is dealt with, and the wait is to be made anew. */
  private async turnsUnhealthy(report: WatchReport | null): Promise<boolean> {
    if (report?.verdict.state !== 'unhealthy') return false;
    await this.unhealthy(report);
    return this.holdIsOver();
  }

  /** A hold within this one was answered, or there is a comparison to make: what was waited for is no longer the question. */
  private holdIsOver(): boolean {
    const here = this.rollout.state.step;
    if (here.hold !== undefined && here.probeBack === undefined) return false;
    delete here.hold;
    return true;
  }

  /** Enough evidence has come: the hold is over, and nobody has to answer it. */
  private passes(stage: Stage, report: WatchReport): true {
    const { journal, state, watching } = this.rollout;
    watching.passed = null;
    delete state.step.hold;
    journal.enter('baking');
    journal.event(`stage ${stage.name}: passed while held: ${report.verdict.why}`);
    return true;
  }

  async approve(stage: Stage, step: ApproveStep): Promise<void> {
    const { state, journal } = this.rollout;
    const here = state.step;
    const { within } = step.approval;
    here.gate ??= { id: step.id, stage: stage.name, until: Date.now() + within, approvals: [], decision: null };
    const { gate } = here;
    if (state.weight > 0 && here.harmKnown !== true) this.rollout.watching.ensure();
    if (here.hold === undefined && gate.decision === null) {
      journal.enter('awaitingApproval', `stage ${stage.name} waits for an approval`);
      void this.rollout.herald.notify('waiting');
    }
    let remind = step.approval.remindEvery;
    while (gate.decision === null && here.hold === undefined && Date.now() < gate.until) {
      journal.enter('awaitingApproval', `stage ${stage.name} waits for an approval`);
      journal.deadline(gate.until);
      const asked = () => gate.decision !== null || this.rollout.wish.pause !== undefined;
      const left = gate.until - Date.now();
      const waited = await this.rollout.until(
        asked,
        Math.min(left, remind),
        `approval of ${stage.name} within ${duration(within)}`,
      );
      if (waited === 'elapsed' && remind < left) {
        remind = Math.min(remind * 2, LONGEST_REMINDER);
        void this.rollout.herald.notify('reminder');
      }
      await this.pauseIfAsked();
      if (state.weight > 0 && here.harmKnown !== true) this.rollout.watching.ensure();
    }
    if (gate.decision === null) await this.approvalTimedOut(stage, step);
    this.decide(stage, gate);
  }

  private async approvalTimedOut(stage: Stage, step: ApproveStep): Promise<void> {
    const why = `stage ${stage.name} was not approved within ${duration(step.approval.within)}`;
    if (step.approval.onTimeout === 'rollback') {
      this.rollout.leaveWith({ outcome: 'rolledBack', reason: why, code: null });
      throw new Leaving();
    }
    while (this.rollout.state.step.gate?.decision == null) await this.hold(stage, why, null);
  }

  private decide(stage: Stage, gate: Gate): void {
    const { decision } = gate;
    if (decision === null) return;
    const said = decision.comment === null ? '' : `: ${decision.comment}`;
    if (decision.approved) {
      this.rollout.journal.event(`stage ${stage.name} approved${said}`, decision.by);
      return;
    }
    this.rollout.leaveWith({
      outcome: 'rejected',
      reason: `stage ${stage.name} was rejected by ${decision.by}${said}`,
      code: null,
    });
    throw new Leaving();
  }

  /** Keeps the weight; the watcher goes on. An open approval can be answered meanwhile and its deadline runs on. */
  async pauseIfAsked(): Promise<void> {
    const { state, journal } = this.rollout;
    if (this.rollout.wish.pause !== undefined && state.pause === null) {
      const now = Date.now();
      state.pause = { by: this.rollout.wish.pause.by, since: now, until: now + this.rollout.spec.deadlines.pause };
    }
    delete this.rollout.wish.pause;
    if (state.pause === null) return;
    const { pause, step: here } = state;
    const { gate } = here;
    const over = gate === undefined ? pause.until : Math.min(pause.until, gate.until);
    const go = () =>
      this.rollout.wish.resume !== undefined ||
      this.rollout.wish.promote !== undefined ||
      gate?.decision?.approved === false;
    let waited: Waited = go() ? 'asked' : 'again';
    // A hold may have come in between, and has ended.
    while (waited === 'again' && here.probeBack === undefined) {
      journal.enter('paused', `paused by ${pause.by}`);
      journal.deadline(pause.until);
      if (state.weight > 0 && here.harmKnown !== true) this.rollout.watching.ensure();
      waited = await this.rollout.until(go, over - Date.now(), `paused, for ${duration(over - Date.now())} at most`);
    }
    delete this.rollout.wish.resume;
    state.pause = null;
    if (here.probeBack !== undefined)
      return journal.event(`the pause by ${pause.by} ends, since the release must be compared with the old one`);
    if (waited === 'asked' || (gate !== undefined && over === gate.until)) return;
    if (this.rollout.look.only)
      return journal.event(
        `the pause by ${pause.by} has lasted ${duration(this.rollout.spec.deadlines.pause)} and ends`,
      );
    this.rollout.leaveWith({
      outcome: 'rolledBack',
      reason: `paused by ${pause.by} for longer than ${duration(this.rollout.spec.deadlines.pause)}`,
      code: null,
    });
    throw new Leaving();
  }
}
