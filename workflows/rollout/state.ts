/** What a rollout carries: plain data, so that it can continue as new between and within steps. */

import type { Limits, Prepared, UndoParsed } from '../../activities/types.js';
import type { HandedOn } from '../../src/health/types.js';
import type { JudgeState } from '../../src/judge/types.js';
import type { AccessRecord } from '../../src/model/access.js';
import { CALL_LIFE } from '../../src/model/call-life.js';
import type { ErrorCode } from '../../src/model/errors.js';
import type { SeriesPoint } from '../../src/model/series.js';
import type { Release, Spec } from '../../src/model/spec.js';
import type { EventView, KeptView, RefusalView, StageView, VerdictView } from '../../src/model/view.js';
import type { Outcome, Phase, RolloutType } from '../../src/model/words.js';
import type { AttemptedWrite, Environments, Split } from '../../src/platforms/port.js';

/** Why the rollout leaves the walk, and how it ends once everything is rolled back. */
export interface Leave {
  outcome: Outcome;
  reason: string;
  code: ErrorCode | null;
  /** The candidate was unhealthy: once everything is rolled back, its logs may say why. */
  unhealthy?: boolean;
  /** Closed as Canceled afterwards. */
  canceled?: boolean;
}

/** The position of the walk: indexes into the plan's stages and the stage's steps. */
export interface Cursor {
  stage: number;
  step: number;
}

/** The rollout waits for a person: why, and until when (ms since the epoch). */
export interface Hold {
  why: string;
  until: number;
  about: HoldReason;
}

/**
 * `undecided`: the judge could not decide, and more evidence also ends the hold. `unhealthy`: it could, and the spec leaves
 * the answer to a person. `approval`: nobody approved in time.
 */
export type HoldReason = 'undecided' | 'unhealthy' | 'approval';

/** An open approval. Matched by stage, consumed once. */
export interface Gate {
  /** The plan's step. */
  id: string;
  stage: string;
  /** ms since the epoch. */
  until: number;
  /** When the next reminder is due, in ms from the last one. */
  remind: number;
  /** Approvals by different people; the gate opens when there are enough. */
  approvals: { by: string; comment: string | null }[];
  decision: { approved: boolean; by: string; comment: string | null } | null;
}

/** The state of the running step. Dropped when the cursor moves. */
export interface StepState {
  begun?: true;
  /** When the bake ends (ms since the epoch). */
  until?: number;
  /** The rest of a bake that a pause has kept, in milliseconds. */
  left?: number;
  gate?: Gate;
  hold?: Hold;
  /** The people who decided at the gate knew that the candidate was unhealthy: it is not watched again until the next weight. */
  harmKnown?: true;
  /** A comparison at half the traffic: why, how far it is, and when it ends (ms since the epoch; null: not started). */
  compare?: { why: string; at: 'back' | 'watch' | 'forward'; until: number | null };
  /** Nothing at the target had been touched when this step started. */
  untouched?: boolean;
  /** The bake runs once more for as long, since too few requests was its only doubt. */
  again?: { why: string };
  /** Bakes in a row whose counts were lost with a worker. */
  lostReports?: number;
}

/** What was requested and is not done yet. Each part takes what is meant for it. */
export interface Requests {
  resume?: string;
  promote?: string;
  skip?: string;
  retry?: string;
  adopt?: boolean;
  pause?: { by: string };
}

export interface RolloutState {
  app: string;
  environment: string;
  run: string;
  type: RolloutType;
  startedAt: number;
  startedBy: string | null;
  message: string | null;
  /** From the worker's configuration, recorded with `parse`. */
  searchAttributes: boolean;
  limits: Limits;
  /** Recorded with `parse`: the policy, and what needs no signature. */
  access: AccessRecord | null;
  /** What the activities require; null if the workers have no key. */
  grant: string | null;
  /** Proves that the release is what was deployed for the plan. */
  deployed: string | null;
  /** Receipts of the approvals so far, for the writes behind them. */
  receipts: string[];
  /** Signed statements that were accepted; each counts once. */
  used: { id: string; until: number }[];
  /** A verb may arrive while this run continues as the next one. */
  requests: Requests;
  spec: Spec | null;
  prepared: Prepared | null;
  cursor: Cursor;
  step: StepState;
  release: Release | null;
  environments: Environments | null;
  revision: string | null;
  attempted: AttemptedWrite[];
  /** When the last attempt of one of them ended or was given up (ms since the epoch). */
  attemptedAt?: number;
  /** Something at the target may have changed, so a rollback has work to do. */
  touched: boolean;
  /** The candidate's share of traffic in percent, from `split`. */
  weight: number;
  /** The traffic as last read; null before the first read. */
  split: Split | null;
  weightSince: number;
  /** What the judge knows, over all weights. */
  judge: JudgeState | null;
  /** What the last watcher has named of our own requests. */
  ownRequests: HandedOn | null;
  /** The evidence over time, thinned out. */
  series: SeriesPoint[];
  /** The one comparison at half the traffic has been requested. */
  compared: boolean;
  verdict: VerdictView | null;
  /** What an undo rolls back to and was asked for, as `parse` found it. */
  undo?: UndoParsed;
  /** What an undo's bake, which only warns, has found; newest last. */
  found?: string[];
  errors: { what: string; count: number; requestId?: string }[];
  promoted: boolean;
  /** `promote {full: true}` was accepted: bakes and smaller weights are skipped. */
  full: boolean;
  pause: { by: string; since: number; until: number } | null;
  leave: Leave | null;
  force: boolean;
  /** The foreign change that a person left in place: nothing is written any more. */
  kept: KeptView | null;
  /** Temporal's Cancel, which comes only once: `asked` until a foreign change, if there is one, has answered it. */
  cancel: 'asked' | 'answered' | null;
  phase: Phase | 'done';
  phaseSince: number;
  outcome: Outcome | null;
  reason: string | null;
  code: ErrorCode | null;
  endedAt: number | null;
  stages: StageView[];
  events: EventView[];
  eventsTotal: number;
  refusals: RefusalView[];
  refusalsTotal: number;
}

/** Whether a bake runs that a person may end. Pure. */
export function mayBeSkipped({ prepared, cursor }: RolloutState): boolean {
  return prepared?.plan.stages[cursor.stage]?.steps[cursor.step]?.kind === 'bake';
}

/** How many events and refusals the view keeps. */
export const KEPT = 20;

export function newState(of: {
  app: string;
  environment: string;
  run: string;
  type: RolloutType;
  now: number;
}): RolloutState {
  return {
    app: of.app,
    environment: of.environment,
    run: of.run,
    type: of.type,
    startedAt: of.now,
    startedBy: null,
    message: null,
    searchAttributes: false,
    limits: { history: 4_000, signals: 2_000, heartbeat: 10_000, callLife: CALL_LIFE },
    access: null,
    grant: null,
    deployed: null,
    receipts: [],
    used: [],
    requests: {},
    spec: null,
    prepared: null,
    cursor: { stage: 0, step: 0 },
    step: {},
    release: null,
    environments: null,
    revision: null,
    attempted: [],
    touched: false,
    weight: 0,
    split: null,
    weightSince: of.now,
    judge: null,
    ownRequests: null,
    series: [],
    compared: false,
    verdict: null,
    errors: [],
    promoted: false,
    full: false,
    pause: null,
    leave: null,
    force: false,
    kept: null,
    cancel: null,
    phase: 'pending',
    phaseSince: of.now,
    outcome: null,
    reason: null,
    code: null,
    endedAt: null,
    stages: [],
    events: [],
    eventsTotal: 0,
    refusals: [],
    refusalsTotal: 0,
  };
}
