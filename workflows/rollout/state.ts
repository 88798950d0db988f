/** What a rollout carries: plain data, so that it can continue as new between and inside steps. */

import type { Limits, Prepared, UndoParsed } from '../../activities/types.js';
import type { JudgeState } from '../../src/judge/types.js';
import type { AccessRecord } from '../../src/model/access.js';
import { CALL_LIFE } from '../../src/model/call-life.js';
import type { ErrorCode } from '../../src/model/errors.js';
import type { SeriesPoint } from '../../src/model/series.js';
import type { Release, Spec } from '../../src/model/spec.js';
import type { EventView, KeptView, RefusalView, StageView, VerdictView } from '../../src/model/view.js';
import type { Outcome, Phase, RolloutType } from '../../src/model/words.js';
import type { AttemptedWrite, Environments, Split } from '../../src/platforms/port.js';

/** Why the rollout leaves the walk, and how it will end once everything is back. */
export interface Leave {
  outcome: Outcome;
  reason: string;
  code: ErrorCode | null;
  /** The candidate was unhealthy: once everything is back, its logs may say why. */
  unhealthy?: boolean;
  /** Closed as Canceled afterwards. */
  canceled?: boolean;
}

/** Where the walk is: indexes into the plan's stages and the stage's steps. */
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
 * `undecided`: the judge could not decide, and more evidence ends the hold too. `unhealthy`: it could, and the spec's rules leave the
 * answer to a person. `approval`: nobody has approved in time.
 */
export type HoldReason = 'undecided' | 'unhealthy' | 'approval';

/** An approval that is open. Matched by stage, consumed once. */
export interface Gate {
  /** The plan's step. */
  id: string;
  stage: string;
  /** ms since the epoch. */
  until: number;
  /** When the next reminder is due, in ms from the last one. */
  remind: number;
  /** By different people; the decision falls when there are enough. */
  approvals: { by: string; comment: string | null }[];
  decision: { approved: boolean; by: string; comment: string | null } | null;
}

/** How the running step stands. Forgotten when the cursor moves. */
export interface StepState {
  begun?: true;
  /** When the bake ends (ms since the epoch). */
  until?: number;
  /** Milliseconds of a bake that a pause has kept. */
  left?: number;
  gate?: Gate;
  hold?: Hold;
  /** Who has decided at the gate knew the candidate to be unhealthy: it is watched no more until the next weight. */
  harmKnown?: true;
  /** A comparison at half the traffic: why, how far it is, and when it ends (ms since the epoch; null: not begun). */
  compare?: { why: string; at: 'back' | 'watch' | 'forward'; until: number | null };
  /** Nothing at the target had been touched when this step began. */
  untouched?: boolean;
  /** The bake goes on for as long again, since too few requests were its only doubt. */
  again?: { why: string };
  /** Bakes whose counts were lost with a worker, in a row. */
  lostReports?: number;
}

/** What was asked for and is not done yet. Each part takes what is for it. */
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
  /** Recorded with `parse`: by which policy, and what needs no signature. */
  access: AccessRecord | null;
  /** What the activities ask for; null where the workers have no key. */
  grant: string | null;
  /** That the release is what was deployed for the plan. */
  deployed: string | null;
  /** Of the approvals so far, for the writes behind them. */
  receipts: string[];
  /** Signed statements that were taken; each counts once. */
  used: { id: string; until: number }[];
  /** A verb may come while this run continues as the next one. */
  requests: Requests;
  spec: Spec | null;
  prepared: Prepared | null;
  cursor: Cursor;
  step: StepState;
  release: Release | null;
  environments: Environments | null;
  revision: string | null;
  attempted: AttemptedWrite[];
  /** When the last try of one of them ended, or was given up (ms since the epoch). */
  attemptedAt?: number;
  /** Something at the target may have changed: going back has work to do. */
  touched: boolean;
  /** Percent of traffic the candidate has, by `split`. */
  weight: number;
  /** The traffic as it was last read; null before anybody has looked. */
  split: Split | null;
  weightSince: number;
  /** What the judge knows, over all weights. */
  judge: JudgeState | null;
  /** The evidence over time, thinned out. */
  series: SeriesPoint[];
  /** The one comparison at half the traffic has been asked for. */
  compared: boolean;
  verdict: VerdictView | null;
  /** What an undo goes back to and was asked for, as `parse` has found it. */
  undo?: UndoParsed;
  /** What an undo's bake, which only warns, has found; newest last. */
  found?: string[];
  errors: { what: string; count: number; requestId?: string }[];
  promoted: boolean;
  /** `promote {full: true}` was accepted: bakes and smaller weights are passed over. */
  full: boolean;
  pause: { by: string; since: number; until: number } | null;
  leave: Leave | null;
  force: boolean;
  /** The foreign change that a person has left in place: nothing is written any more. */
  kept: KeptView | null;
  /** Temporal's Cancel, which comes once: `asked` until a foreign change, should there be one, has answered it. */
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
