/** The activities as workflows see them: types alone. */

import type { DecideArgs } from '../src/authority/index.js';
import type { HealthBefore, ProbeReport, WatchInput, WatchReport } from '../src/health/types.js';
import type { AccessRecord, MessageAnswer, WorkerIdentity } from '../src/model/access.js';
import type { Moved, MovePlan, MoveStep, Moving } from '../src/model/moving.js';
import type { Unsealed } from '../src/model/sealed.js';
import type { Release, RolloutInput, Spec } from '../src/model/spec.js';
import type { RolloutView } from '../src/model/view.js';
import type { RolloutType } from '../src/model/words.js';
import type { WorkersSeen } from '../src/model/workers.js';
import type {
  BeforeState,
  Environments,
  ErrorSample,
  Fence,
  Finding,
  RestoreArgs,
  Split,
  SweepFinding,
  Written,
} from '../src/platforms/port.js';
import type { Plan } from '../src/strategies/types.js';
import type { LateRecord, RolloutEvent, UndoBegun } from '../workflows/messages.js';

/**
 * When a run continues as new (events of history, signals received), after how long a silent watcher counts as dead, and the longest
 * life of one call of a provider (ms).
 */
export interface Limits {
  history: number;
  signals: number;
  heartbeat: number;
  callLife: number;
}

/** The spec parsed, with all defaults. */
export interface Parsed {
  spec: Spec;
  /** Whether this cluster has Sluice's search attributes; the worker's switch, recorded so that a replay sees the same. */
  searchAttributes: boolean;
  limits: Limits;
  access: AccessRecord;
  /** Of an undo. */
  undo?: UndoParsed;
}

/** What an undo rolls back to, and what was requested with it. */
export interface UndoParsed {
  version: string;
  hold: boolean;
  keepQueue: boolean;
  /** Why the spec that made the release live is unknown, so that only the traffic moves back; null if it is known. */
  unknown: string | null;
}

/** What every activity that changes something asks for: see src/authority. Null where the workers have no key. */
interface Granted {
  grant: string | null;
}

/** `prepare`'s recorded result: the rollout executes this and nothing else. */
export interface Prepared {
  planSchema: number;
  spec: Spec;
  before: BeforeState;
  plan: Plan;
  health: HealthBefore;
  /** What a person should know and that does not stop the rollout. */
  warnings: string[];
  /** Digest of the plan: what an approval is signed over. */
  digest: string;
  /** Names of the people who may approve each stage; empty without a policy. */
  approvers: Record<string, string[]>;
  /** For the steps of the plan; null where the workers have no key. */
  grant: string | null;
}

export interface NotifyEvent {
  /** `warning`: an undo's bake, which only warns, has found something. */
  type: 'waiting' | 'stuck' | 'ended' | 'reminder' | 'warning';
  view: RolloutView;
}

/** On task queue `sluice`. */
export interface CoreActivities {
  /**
   * Parses and completes the spec; refuses a bad one with SLUICE_SPEC, and a start at a target that is held with SLUICE_HELD. An
   * undo's spec is the one that made its release live, from the target's ledger.
   */
  parse(args: {
    input: RolloutInput;
    app: string;
    environment: string;
    type: RolloutType;
    /** Moving callers: digest of what was shown, which the signature covers. */
    shown?: string;
  }): Promise<Parsed>;
  notify(args: Granted & { spec: Spec; event: NotifyEvent }): Promise<void>;
  /** The living workers of a task queue of activities, as the server lists them. */
  workersOf(args: { queue: string }): Promise<WorkersSeen>;
  /** What a client must know to log in. */
  identity(): Promise<WorkerIdentity>;
  /** Opens messages that arrived encrypted, in base64. */
  unseal(args: { sealed: string[] }): Promise<Unsealed[]>;
  /** Checks who said each message, and whether he may. */
  decide(args: DecideArgs): Promise<MessageAnswer[]>;
  /** The grants of the run that this one has continued, for this one. */
  renew(args: { grants: string[] }): Promise<string[]>;
  /** Notifies the target's companion, starting it if there is none; `spec` is kept for a later undo. */
  tellCompanion(
    args: Granted & {
      app: string;
      environment: string;
      event: RolloutEvent;
      deployed: string | null;
      spec?: Spec | undefined;
    },
  ): Promise<void>;
  /** Companion: whether an undo of this run asks so. Errors: SLUICE_ACCESS. */
  believeUndo(args: { app: string; environment: string; run: string; undo: UndoBegun }): Promise<void>;
  /** Companion: who may release the target that this run holds. Errors: SLUICE_ACCESS. */
  admitUnhold(args: {
    app: string;
    environment: string;
    run: string;
    by: string | null;
    token: string | null;
  }): Promise<{ by: string | null }>;
  /** Companion: whether a release may take a place in the queue. Errors: SLUICE_ACCESS. */
  admit(args: {
    app: string;
    environment: string;
    type: RolloutType;
    input: RolloutInput;
    mode: 'queue' | 'replace';
  }): Promise<{ by: string | null }>;
  /** Companion: starts a rollout, or says which run blocks it. The same ticket never starts a second one. */
  startRollout(args: {
    app: string;
    environment: string;
    type: RolloutType;
    input: RolloutInput;
    ticket: string;
  }): Promise<{ started: string } | { busy: string }>;
  /** Companion: tells this run, if it is still the one, that a newer release takes its place. */
  supersede(args: {
    app: string;
    environment: string;
    run: string;
    by: string | null;
    type: RolloutType;
    input: RolloutInput;
  }): Promise<void>;
  /** Companion: whether a rollout of the target is running. */
  isRunning(args: { app: string; environment: string }): Promise<boolean>;
}

/** A write that may stand behind a gate. */
interface Gated extends Granted {
  /** Of the approvals so far. */
  receipts: string[];
  /** That the candidate is what was deployed for the plan. */
  deployed: string | null;
}

/** What a rollout would do, and what would stop it. */
export interface PlanAnswer {
  spec: Spec;
  before: BeforeState;
  /** Null when the plan cannot be made. */
  plan: Plan | null;
  /** Health before the rollout, as far as it could be read. */
  health: HealthBefore;
  findings: Finding[];
}

/** On the account's queue (`restore` on its restore lane, `watch` and `probe` on its watch lane). */
export interface AccountActivities {
  /** Finds the code, reads the target, plans. Nothing is written to the target. */
  prepare(args: Granted & { spec: Spec; run: string }): Promise<Prepared>;
  /** The same reading and planning, for `sluice plan`: refusals are findings. */
  inspect(args: Granted & { spec: Spec }): Promise<PlanAnswer>;
  /** Keeps what callers beside the target run, before the first write; the grant is for the way back to what it answers. */
  keep(
    args: Granted & { spec: Spec; before: BeforeState; mark: string },
  ): Promise<{ before: BeforeState; grant: string | null }>;
  deploy(
    args: Granted & {
      spec: Spec;
      before: BeforeState;
      mark: string;
      into?: 'idle';
      adopted?: string;
    },
  ): Promise<{ release: Release; environments: Environments | null; deployed?: string | null }>;
  warm(args: Granted & { deployed: string | null } & { spec: Spec; release: Release }): Promise<void>;
  shift(
    args: Gated & { spec: Spec; stable: string; candidate: string; weight: number; fence: Fence },
  ): Promise<Written>;
  promote(args: Gated & { spec: Spec; candidate: string; fence: Fence }): Promise<Written>;
  restore(args: Granted & RestoreArgs & { receipts: string[] }): Promise<Written>;
  /**
   * Deletes what a rolled-back first deployment left after all: returns the release that was there, null if there was
   * nothing.
   */
  takeBack(args: LateRecord): Promise<{ taken: string | null }>;
  /** By a record that a rollout has left with the companion. */
  retire(args: {
    spec: Spec;
    keep: string[];
    version: string;
    since: number;
    seal: string | null;
  }): Promise<{ deleted: string[] }>;
  /** `within`: how long all of it may take, in ms. */
  probe(args: Granted & { spec: Spec; version: string; probes: string[]; within: number }): Promise<ProbeReport>;
  watch(input: Granted & WatchInput): Promise<WatchReport>;
  /** The candidate's most frequent errors since `from` (ms since the epoch): from its logs, and those that were `seen`. */
  errors(args: Granted & { spec: Spec; version: string; from: number; seen: ErrorSample[] }): Promise<ErrorSample[]>;
  /** Looks at the target, to leave a foreign change as it is. */
  read(args: Granted & { spec: Spec }): Promise<{ split: Split }>;
  /** Takes the target as it is: its revision and split, after a foreign change that a person adopts. */
  adopt(args: Granted & { spec: Spec }): Promise<Written>;
  /** How callers of the bare name come to the target, or back. Writes nothing. */
  callers(args: Granted & { spec: Spec; how: Moving }): Promise<MovePlan>;
  /** Does what of these steps is still to be done. */
  moveCallers(args: Granted & { spec: Spec; how: Moving; steps: MoveStep[]; run: string }): Promise<Moved>;
  /** Writes our mark on a target as it is (`sluice adopt`). */
  claim(args: Granted & { spec: Spec; run: string }): Promise<{ before: BeforeState; findings: Finding[] }>;
  /** Every split target of this account with our mark; whether its rollout runs, the caller knows. */
  sweep(args: { account: string; region: string }): Promise<SweepFinding[]>;
}
