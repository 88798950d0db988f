/** The watcher of the candidate's current weight: one activity that runs as long as the weight lasts. */
import { CancellationScope } from '@temporalio/workflow';
import type { WatchHeartbeat, WatchReport } from '../../src/health/types.js';
import { failureOf, lastHeartbeat } from '../../src/model/rollout/failure.js';
import { shownVerdict } from '../../src/model/rollout/verdict.js';
import { joined } from '../../src/model/series.js';
import { watching } from '../calls.js';
import type { Run } from './run.js';
import type { Undo } from './undo.js';

/** Points of the series that a rollout keeps. */
const MOST_POINTS = 120;

interface Running {
  scope: CancellationScope;
  done: Promise<WatchReport | null>;
}

export class Watching {
  /** An unhealthy report that has not been handled yet. */
  unhealthy: WatchReport | null = null;
  /**
   * The report of a candidate that was shown to be no worse early, or to be healthy while held, and that no bake has used
   * yet.
   */
  passed: WatchReport | null = null;
  private running: Running | null = null;
  /** An undo's bake has reported its result. */
  private warned = false;

  constructor(
    private readonly run: Run,
    private readonly undo: Undo,
  ) {}

  /** Starts the watcher unless it runs, continuing from what the judge knows. */
  ensure(): void {
    const { state, spec } = this.run;
    if (this.running !== null || this.unhealthy !== null || this.warned || state.release === null) return;
    const candidate = state.release.version;
    const scope = new CancellationScope();
    const held = state.step.hold?.about === 'undecided';
    const earliest = held ? null : this.earliest();
    const running: Running = {
      scope,
      done: scope
        .run(() =>
          watching(
            spec,
            state.weight === 0
              ? `watch ${candidate} before it gets traffic`
              : `watch ${candidate} at ${state.weight} %`,
            state.limits.heartbeat,
          ).watch({
            spec,
            stable: this.run.prepared.before.split.stable,
            candidate,
            weight: state.weight,
            from: state.weightSince,
            state: state.judge,
            rules: this.run.rules(),
            before: this.run.prepared.health,
            earliest,
            held,
            own: state.ownRequests,
            grant: state.grant,
          }),
        )
        .catch((error: unknown) => this.lost(error)),
    };
    this.running = running;
    void running.done.then((report) => {
      this.run.length.look();
      if (this.running !== running) return;
      this.running = null;
      this.note(report);
      if (report === null || this.run.state.leave !== null) return;
      if (report.verdict.state === 'unhealthy') {
        if (this.run.isUndo) this.warn(report);
        else this.unhealthy = report;
        return;
      }
      if (held && report.verdict.state === 'healthy') {
        // This ends the hold.
        this.passed = report;
        return;
      }
      if (earliest !== null && report.verdict.passes) this.passed = report;
      // A weight is never unwatched: the bake may be paused or not ended yet, or the last counts may say something else.
      this.ensure();
    });
  }

  /** A bake has found whatever it can find. */
  private warn(report: WatchReport): void {
    this.warned = true;
    this.undo.unhealthy(report);
  }

  /** A watcher whose worker died left its last counts. One that may not watch ends the rollout. */
  private lost(error: unknown): WatchReport | null {
    const { code, message } = failureOf(error);
    if (code === 'SLUICE_ACCESS' && this.run.isUndo) this.undo.warn(`nothing watches it: ${message}`);
    else if (code === 'SLUICE_ACCESS') this.run.leaveWith({ outcome: 'rolledBack', reason: message, code });
    return (lastHeartbeat(error) as WatchHeartbeat | undefined)?.report ?? null;
  }

  /**
   * Ends the watcher and waits for its counts. Null: they were lost with its worker. An unhealthy report also stays for the
   * walk.
   */
  async stop(): Promise<WatchReport | null> {
    if (this.unhealthy !== null) return this.unhealthy;
    const { running } = this;
    if (running === null) return null;
    this.running = null;
    running.scope.cancel();
    const report = await running.done;
    this.note(report);
    if (report?.verdict.state === 'unhealthy') this.unhealthy = report;
    return report;
  }

  /** Ends the watcher without waiting. */
  drop(): void {
    this.running?.scope.cancel();
    this.running = null;
    this.unhealthy = null;
    this.passed = null;
  }

  /** When the bake of this weight, running or to come, may pass early (ms since the epoch). */
  private earliest(): number | null {
    const { state, prepared } = this.run;
    const { stage, step } = state.cursor;
    // The bake that a comparison returns to is the one before it.
    const from = state.step.compare?.at === 'forward' ? step - 1 : step;
    const bake = prepared.plan.stages[stage]?.steps.slice(from).find(({ kind }) => kind === 'bake');
    if (this.passed !== null || bake?.kind !== 'bake' || bake.earliest === undefined) return null;
    return state.weightSince + bake.earliest;
  }

  takeUnhealthy(): WatchReport {
    const report = this.unhealthy as WatchReport;
    this.unhealthy = null;
    return report;
  }

  private note(report: WatchReport | null): void {
    if (report === null) return;
    const { state, journal } = this.run;
    state.judge = report.state;
    if (report.own !== undefined) state.ownRequests = report.own;
    state.verdict = shownVerdict(report);
    state.series = joined(state.series, report.series, MOST_POINTS);
    journal.publish();
  }
}
