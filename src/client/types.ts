/** What a client of Sluice can do. The CLI and other hosts depend on this, not on Temporal. */

import type { Signer } from '../access/index.js';
import type { GateView, OtherPolicy } from '../model/access.js';
import type { ErrorCode } from '../model/errors.js';
import type { Account } from '../model/ids.js';
import type { Moved, MovePlan, Moving } from '../model/moving.js';
import type { RolloutInput, Spec } from '../model/spec.js';
import type { Until } from '../model/until.js';
import type { CompanionView, Decision, QueuedView, RolloutView, VerbAnswer, VerbArgs } from '../model/view.js';
import type { MessageVerb, OnNewRelease, Outcome, Phase, RolloutType } from '../model/words.js';
import type { BeforeState, Finding, SweepFinding } from '../platforms/port.js';
import type { Plan } from '../strategies/types.js';

/** Names a target: its rollouts, its companion, its lock. */
export interface AppEnvironment {
  app: string;
  environment: string;
}

export interface StartRequest extends AppEnvironment {
  type: RolloutType;
  /** A parsed rollout.yaml. Its `folder` or `zip` is packed here, and put into the artifact store. */
  input: RolloutInput;
  /** What to do while another rollout of the target runs. */
  onNewRelease: OnNewRelease;
  /** For the signature of an `undo`: the version to roll back to. */
  release?: string | null;
  by?: string;
  message?: string;
}

/** What an undo rolls back to, and what happens afterwards. */
export interface UndoArgs {
  by?: string;
  message?: string;
  /** A release of the ledger; without it the one that the last rollout replaced, within the rollback window. */
  to?: string;
  /** Nothing starts afterwards until `unhold`. */
  hold?: boolean;
  /** What waits in the queue starts afterwards; else it leaves the queue. */
  keepQueue?: boolean;
}

/**
 * `started` has the run; the others wait at the target's companion, which starts them when the way is free, and are followed by
 * their ticket. `tookPlaceOf`: the release that waited before this one and will not run.
 */
export type StartAnswer =
  | { state: 'started'; workflowId: string; run: string; tookPlaceOf: QueuedView | null }
  | { state: 'queued' | 'replacing'; workflowId: string; run: null; ticket: string; tookPlaceOf: QueuedView | null };

/** One line of the audit: who did what, why, and the state before and after. */
export interface AuditEntry {
  /** ISO 8601, as the server wrote it down. */
  at: string;
  /** The workflow id: the target's, or its companion's, which alone knows of `unhold`. */
  rollout: string;
  /** The run: the first of its chain. */
  run: string;
  /** Run and event of the history that says it. */
  event: string;
  /**
   * `signal` is what was sent where no worker had to decide on it. `foreign` is a run, or one activity of a run, that no
   * Sluice worker did: what it claims is not listed. It is also a run made by Reset, of which only what came afterwards is
   * listed. There `what` is its type, `why` says how it is known, and `identity` and `principal` who did it. `unreadable` is
   * an event without the content that its kind has.
   */
  kind:
    | 'start'
    | 'access'
    | 'plan'
    | 'change'
    | 'verdict'
    | 'verb'
    | 'refusal'
    | 'signal'
    | 'end'
    | 'foreign'
    | 'unreadable';
  what: string;
  who: string | null;
  why: string | null;
  before: unknown;
  after: unknown;
  /** The signed statement, to be checked again at any time. */
  proof: string | null;
  /** The name that the Temporal client gave itself; anyone can claim any name. */
  identity?: string | null;
  /** Who called, `type:name`, as the Temporal server has authenticated it and stamped the event; null where it does not. */
  principal: string | null;
  /** The server's name for who called is another than `who`, and no worker's that has passed it on. */
  mismatch: boolean;
}

/** An approval that is open, and whether the caller's would count. */
export interface OpenApproval extends AppEnvironment {
  run: string;
  candidate: string | null;
  weight: number;
  startedBy: string | null;
  message: string | null;
  gate: GateView;
  /** Open to the caller's key; without a policy, to anyone. */
  mine: boolean;
  /** Why it would not count; null when it would. */
  notMine: string | null;
}

/** A rollout that may have an approval open, and that could not be asked. */
export interface Unasked extends AppEnvironment {
  code: ErrorCode;
  message: string;
}

/** What could be read, and what could not. */
export interface Approvals {
  /** The one that closes first at the top. */
  open: OpenApproval[];
  unasked: Unasked[];
}

/** A rollout as it was seen at one moment. */
export interface Snapshot {
  /** Null only while watching and no worker has answered yet. */
  view: RolloutView | null;
  /** The run is closed: nothing will change any more. */
  ended: boolean;
  /** Why the view may be old: no worker answers, or the server is away. */
  trouble: string | null;
}

export interface WatchOptions {
  signal?: AbortSignal;
  /** This run, and not one that has followed it. Without, the one that is seen first. */
  run?: string;
  /** A release that waits at the companion; its run once it has begun. */
  ticket?: string;
}

export interface ListFilter {
  /** A phase (running rollouts) or an outcome (closed ones). Without: all that run. */
  phase?: Phase | Outcome;
  /** An app's name; `*` matches anything. */
  app?: string;
  /** Started at least this many milliseconds ago. */
  olderThan?: number;
  /** Closed ones too. */
  all?: boolean;
}

export interface ListEntry extends AppEnvironment {
  strategy: RolloutType;
  /** Null where the server does not know it (no search attributes). */
  phase: Phase | 'done' | null;
  outcome: Outcome | null;
  weight: number | null;
  startedAt: number;
  endedAt: number | null;
  run: string;
}

/** A closed run of a target. */
export interface HistoryEntry extends ListEntry {
  /** Temporal's word: COMPLETED, FAILED, CANCELLED, TERMINATED, TIMED_OUT. */
  closed: string;
  reason: string | null;
  release: string | null;
  by: string | null;
  message: string | null;
}

/** What a rollout would do, and what would stop it. */
export interface PlanPreview {
  spec: Spec;
  before: BeforeState;
  /** Null when the plan cannot be made. */
  plan: Plan | null;
  findings: Finding[];
}

/** An artifact that nothing has used for 30 days. */
export interface Pruned {
  /** Its key: `<namespace>/<app>/<sha256>.zip`. */
  name: string;
  bytes: number;
  /** When it was last put or used, ms since the epoch. */
  lastUsed: number;
  removed: boolean;
}

/** Which callers are moved, and which way. */
export interface MoveRequest extends AppEnvironment {
  /** Names the target; its release is of no account. */
  input: RolloutInput;
  how: Moving;
}

export interface Adopted {
  spec: Spec;
  before: BeforeState;
  findings: Finding[];
}

/** The state of everything a rollout needs besides its target. */
export interface Diagnosis {
  address: string;
  namespace: string;
  /** Ids of this client's encryption keys, the one that encrypts first; empty: it encrypts nothing. */
  encryptionKeys: string[];
  /** Null when the server answers; else why not. */
  unreachable: string | null;
  namespaceExists: boolean;
  /** Null when the server does not tell. */
  missingSearchAttributes: string[] | null;
  /** Living workers of task queue `sluice`. Null when the server does not say. */
  workers: number | null;
  /** The policy that one of them reported: its digest, null if everything is open. Null if none has reported. */
  policy: { digest: string | null } | null;
  /** Living workers with another policy. */
  otherPolicies: OtherPolicy[];
  /**
   * Why that worker cannot decrypt what is encrypted here, or this client cannot decrypt its answer. Null if both can, or
   * none has reported.
   */
  keysDiffer: string | null;
  /** By account asked for: living workers on each lane; null where the server does not say. */
  accounts: { account: Account; calls: number | null; watch: number | null; restore: number | null }[];
}

/**
 * The client. All methods may throw SLUICE_UNREACHABLE; those that need an answer of a workflow SLUICE_NO_WORKER,
 * SLUICE_WORKERS_BUSY or SLUICE_DEADLINE; those
 * about one rollout SLUICE_NO_ROLLOUT; those that are given a target SLUICE_WORKFLOW_ID where it is none.
 */
export interface Sluice {
  readonly address: string;
  readonly namespace: string;
  /** Starts a rollout, or hands it to the companion. Errors: SLUICE_ALREADY_RUNNING, SLUICE_SUPERSEDED, SLUICE_HELD. */
  start(request: StartRequest): Promise<StartAnswer>;
  /** The running rollout, or the last one. Works without a worker once it is closed. */
  status(target: AppEnvironment): Promise<Snapshot>;
  /**
   * A rollout in full, its series too: the running one or the last one, or the one whose run id ends with `run`.
   * Errors: SLUICE_NO_ROLLOUT, also for a run that the server does not know (any more).
   */
  rollout(target: AppEnvironment, run?: string): Promise<RolloutView>;
  /** The open approvals of all targets. A rollout that cannot be queried is an answer, not an error. */
  approvals(): Promise<Approvals>;
  /** What happened to a target, as long as the server remembers it, and the caller's key. Errors: SLUICE_NO_ROLLOUT. */
  audit(target: AppEnvironment): Promise<{ entries: AuditEntry[]; signer: Signer | null }>;
  /** Says a verb, signed where the caller has a key, and waits for the answer. Errors: SLUICE_VERB with the workflow's own words. */
  verb(target: AppEnvironment, verb: MessageVerb, args: Decision & VerbArgs): Promise<VerbAnswer>;
  /**
   * A snapshot now and whenever something may have changed, at most a second apart; the last one has `ended`. It stays with one
   * run. Errors: SLUICE_SUPERSEDED for a ticket whose release never began.
   */
  watch(target: AppEnvironment, options?: WatchOptions): AsyncIterable<Snapshot>;
  /** Resolves with the first snapshot that `until` is true of, or the last one of the rollout. */
  wait(target: AppEnvironment, until: Until, options?: WatchOptions): Promise<Snapshot>;
  /** Newest first. */
  list(filter: ListFilter): Promise<ListEntry[]>;
  /** The ledger of one environment, or of all of the app. */
  releases(app: string, environment?: string): Promise<CompanionView[]>;
  /** Closed runs, newest first. */
  history(target: AppEnvironment): Promise<HistoryEntry[]>;
  /** Starts the short rollout that rolls back. Errors: SLUICE_VERB if there is nothing to roll back to. */
  undo(target: AppEnvironment, args: UndoArgs): Promise<StartAnswer>;
  /** Releases a target that `undo --hold` holds; who has signed that. Errors: SLUICE_VERB when it is not held. */
  unhold(target: AppEnvironment, args: { by?: string }): Promise<{ by: string | null }>;
  plan(request: { input: RolloutInput; type: RolloutType } & AppEnvironment): Promise<PlanPreview>;
  sweep(account: Account): Promise<SweepFinding[]>;
  /**
   * What of the account's artifact store nothing needs any more; `remove`: deletes it, with this client's own rights. Reads all
   * ledgers, queues and running rollouts of the namespace first. Errors: SLUICE_NO_WORKER when one of them does not answer.
   */
  prune(of: { account: string; region: string; remove: boolean }): Promise<Pruned[]>;
  adopt(request: { input: RolloutInput } & AppEnvironment): Promise<Adopted>;
  /** How callers of a function's bare name would come to the target's alias, or back. Errors: SLUICE_TARGET where they may not, SLUICE_ALREADY_RUNNING. */
  callers(request: MoveRequest): Promise<MovePlan>;
  /**
   * Moves them as `callers` has `shown` by its digest, and else nothing. Errors: SLUICE_ALREADY_RUNNING beside a rollout or another
   * move, SLUICE_TARGET when there is something else to move by now.
   */
  moveCallers(request: MoveRequest & { shown: string }): Promise<Moved>;
  close(): Promise<void>;
}
