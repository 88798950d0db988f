/** What all parts of a rollout share: its state, its journal, and the few changes that several parts make. Imports no part. */
import { ApplicationFailure } from '@temporalio/workflow';
import type { Prepared } from '../../activities/types.js';
import { mark } from '../../src/model/ids.js';
import type { JudgeRules, Release, Spec } from '../../src/model/spec.js';
import { clean } from '../../src/model/text.js';
import { shareOf } from '../../src/model/traffic.js';
import type { KeptView } from '../../src/model/view.js';
import type { Split } from '../../src/platforms/port.js';
import type { Stage, Step } from '../../src/strategies/types.js';
import { RunLength } from '../run-length.js';
import { Journal } from './journal.js';
import type { Leave, Requests, RolloutState } from './state.js';

export class Run {
  readonly journal: Journal;
  /** When this run continues as a new one. */
  readonly length: RunLength;

  /** `idle`: no message to the rollout still waits to be decrypted or checked. */
  constructor(
    readonly state: RolloutState,
    idle: () => boolean,
  ) {
    this.journal = new Journal(state);
    this.length = new RunLength(() => state.limits, idle);
  }

  /** What was requested and is not done yet. */
  get requests(): Requests {
    return this.state.requests;
  }

  /** Drops all requests: they were for what has just ended. */
  forgetRequests(): void {
    for (const name of Object.keys(this.state.requests) as (keyof Requests)[]) delete this.state.requests[name];
  }

  get spec(): Spec {
    if (this.state.spec === null) throw early('the spec was used before it was parsed');
    return this.state.spec;
  }

  get prepared(): Prepared {
    if (this.state.prepared === null) throw early('the plan was used before it was made');
    return this.state.prepared;
  }

  /** The current stage; undefined once the plan is done. */
  get stage(): Stage | undefined {
    return this.prepared.plan.stages[this.state.cursor.stage];
  }

  /** The current step; undefined between two stages. */
  get step(): Step | undefined {
    return this.stage?.steps[this.state.cursor.step];
  }

  get release(): Release {
    if (this.state.release === null) throw early('the plan uses a release before it deploys one');
    return this.state.release;
  }

  /** The release that served production before. */
  get stable(): string {
    const { stable } = this.prepared.before.split;
    if (stable === null) throw early('the plan shifts traffic although nothing was live');
    return stable;
  }

  /** This rollout is an undo: its watcher only warns. */
  get isUndo(): boolean {
    return this.state.type === 'undo';
  }

  /** The judge's settings at this stage. */
  rules(): JudgeRules {
    return { ...this.spec.health.judge, ...this.stage?.health };
  }

  /** The mark that a write of this step leaves at the provider. */
  mark(step: string): string {
    const { app, environment, run, access } = this.state;
    return mark(app, environment, run, step, access?.policy != null);
  }

  /** Ends the rollout for this reason, unless it is already ending. */
  leaveWith(leave: Leave): void {
    const { state } = this;
    if (state.leave !== null || state.phase === 'done') return;
    state.leave = { ...leave, reason: clean(leave.reason, 600) };
  }

  /** Ends the rollout with someone else's change in place, even if it was rolling back. */
  leaveKept(kept: KeptView, leave: Leave): void {
    const { state } = this;
    state.kept = kept;
    state.leave = { ...state.leave, ...leave };
  }

  /** The traffic as just read; views show this and nothing else. */
  saw(split: Split): void {
    const { state } = this;
    state.split = split;
    state.weight = shareOf(split, state.release?.version ?? null);
  }
}

function early(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'SLUICE_SPEC');
}
