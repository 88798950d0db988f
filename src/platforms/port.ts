/** The port of a platform: what rollouts ask of its driver, and what the driver answers. */
import type { Alarms, Source, SourceOf } from '../health/sources/source.js';
import type { Bypass } from '../model/bypass.js';
import type { Moved, MovePlan, MoveStep, Moving } from '../model/moving.js';
import type { AlarmSpec, MetricSpec, Release, Spec, Target } from '../model/spec.js';

/** Where traffic is split. `version` null: the target does not exist yet. */
export interface Split {
  /** The release that gets the rest. */
  stable: string | null;
  /** The release that gets `weight` percent, if any. */
  candidate: string | null;
  /** Percent of traffic the candidate gets. */
  weight: number;
}

/** The two environments of blue-green, by their release. */
export interface Environments {
  blue: string | null;
  green: string | null;
  /** Which one serves production, by the release it holds. Null when neither does. */
  live: 'blue' | 'green' | null;
}

/** What is at the target before a rollout touches it: enough to bring it back. Plain JSON, no secrets. */
export interface BeforeState {
  split: Split;
  /** The stable release in full; null on a first deployment. */
  release: Release | null;
  /** Revision of the target's last write; null when the target does not exist. */
  revision: string | null;
  /** The user's own text on the target, without our mark. */
  description: string;
  /** Our mark found on the target, whole. */
  mark: string | null;
  environments: Environments | null;
  /** What is kept ready for the stable release, in the platform's unit: provisioned concurrency on Lambda, instances on App Service. */
  capacity: number;
  /** Who gets the release with its deployment, whatever the weight, and was let through. Absent: nobody. */
  bypass?: Bypass[];
  /** The release that keeps what they ran until then; absent until `keep` has been asked. */
  latest?: string;
  /** What `release: {latest: true}` releases; anything else that is found by the time it is published refuses it. */
  pinned?: Pinned;
}

/** Where traffic goes, at which revision (an empty place may have one, which a person can adopt), and the mark that is there. */
export type Traffic = Pick<BeforeState, 'split' | 'revision' | 'mark'>;

/** What `$LATEST` is, as its provider says. */
export interface Pinned {
  /** CodeSha256. */
  digest: string;
  /** RevisionId, which every change of code or configuration renews. */
  revision: string;
}

/** A finding of `inspect` that a person should read; `refuse` ones stop the rollout before anything is touched. */
export interface Finding {
  level: 'refuse' | 'warn';
  code: string;
  message: string;
}

/** The fence of a write: the revision it replaces and the mark it leaves. */
export interface Fence {
  /** Revision our previous write (or the before-state) returned; null = the target must not exist. */
  revision: string | null;
  mark: string;
}

/** A write this rollout has attempted: by its mark the driver tells our own late effect from a foreign change. */
export interface AttemptedWrite {
  mark: string;
  split: Split;
}

/** The target after a write, read back. */
export interface Written {
  revision: string;
  split: Split;
  /** What a person should know: what was restored besides the traffic, or could not be. */
  remarks?: string[];
}

/** What a restore needs. */
export interface RestoreArgs {
  spec: Spec;
  before: BeforeState;
  attempted: AttemptedWrite[];
  /** Revision of our last write whose answer came. */
  lastRevision: string | null;
  mark: string;
  /** Write over a foreign change. */
  force: boolean;
}

/** A target that is split and carries our mark: fine while its rollout runs, left over when it does not. */
export interface SweepFinding {
  target: string;
  app: string;
  environment: string;
  run: string;
  split: string;
  /** What to do, as a command. */
  cure: string;
}

/** What an activity lends a driver: cancellation and a sign of life. */
export interface CallContext {
  signal: AbortSignal;
  /**
   * Called while waiting, so that the server knows the worker lives. `details`, plain JSON, are for the next attempt, should
   * this one die; without them the last ones stand. The server has them after a second at the latest, so that a death may
   * lose the newest.
   */
  heartbeat(details?: unknown): void;
  /** The details that the attempts before this one left; undefined if there are none. */
  lastHeartbeat(): unknown;
  /** Restoring goes first in the account's budget of calls. */
  urgent: boolean;
  /**
   * When what asks began, in ms since the epoch: another worker may have moved the target until then, so that a driver
   * remembers nothing from before.
   */
  since: number;
  /**
   * Called with each mark that is read of the target. Errors: SLUICE_ACCESS for one that was left under a policy, where this
   * worker has none: it has to leave that target alone.
   */
  heed(mark: string | null): void;
  /** Whether a mark may be refused: then one is read before anything is written. */
  heedful: boolean;
}

/** The account and region of a platform that a worker serves. */
export interface Served {
  platform: Target['platform'];
  /** The name that targets use; on App Service the subscription's id. */
  account: string;
  region: string;
  /** Lambda: the role for targets that name none. */
  roleArn?: string;
}

/** A platform for one served account and region. */
export interface Platform {
  /** Errors: SLUICE_NO_WORKER for a target of another platform, account or region. */
  driverFor(target: Target): PlatformDriver;
  /** The targets of the account that are split and carry our mark. */
  sweep(ctx: CallContext, args: { account: string; region: string }): Promise<SweepFinding[]>;
}

/**
 * One platform, as strategies see it. Every write is fenced, leaves its mark, is read back, and may be called again after a
 * lost answer: repeating it changes nothing. Errors are `SluiceError`s.
 */
export interface PlatformDriver {
  /** Current state of the target, and what would stop a rollout. */
  inspect(ctx: CallContext, spec: Spec): Promise<{ before: BeforeState; findings: Finding[] }>;

  /** The same state without what else a rollout needs to know, in as few calls as that takes. Of an absent target: that of none. */
  traffic(ctx: CallContext, spec: Spec): Promise<Traffic>;

  /**
   * How callers that reach the target's code past it come to it, or with `undo` back. Writes nothing. Errors: SLUICE_TARGET where
   * that would change what they run, or the platform has no such callers.
   */
  callers(ctx: CallContext, args: { spec: Spec; how: Moving }): Promise<MovePlan>;

  /** Does the steps of that which are still to be done; whatever is not among them stays. Errors: as `callers`. */
  moveCallers(ctx: CallContext, args: { spec: Spec; how: Moving; steps: MoveStep[]; mark: string }): Promise<Moved>;

  /**
   * Keeps what callers that bypass the target run, so that `restore` can bring it back; called before the first write if
   * `before.bypass` names any. Changes nothing for anyone. Returns `before` with `latest`.
   */
  keep(ctx: CallContext, args: { spec: Spec; before: BeforeState; mark: string }): Promise<BeforeState>;

  /**
   * Creates the release without traffic and waits until it is usable. Returns the same release for the same input. With
   * `into: 'idle'` it is also in the idle environment afterwards, and `environments` says which is which.
   * `spec.configuration.environment` holds the values of secrets here, so nothing of it may be returned; `identity` is the
   * same with placeholders, and a release may be named by it. `adopted`: the target's revision, if a person has adopted
   * someone else's change of it since `before`.
   */
  deploy(
    ctx: CallContext,
    args: {
      spec: Spec;
      before: BeforeState;
      mark: string;
      into?: 'idle';
      identity?: Record<string, string>;
      adopted?: string;
    },
  ): Promise<{ release: Release; environments: Environments | null }>;

  /** Capacity of the candidate, ready when it returns. */
  warm(ctx: CallContext, args: { spec: Spec; release: Release }): Promise<void>;

  /** Gives the candidate `weight` percent. `stable` stays the primary. */
  shift(
    ctx: CallContext,
    args: { spec: Spec; stable: string; candidate: string; weight: number; fence: Fence },
  ): Promise<Written>;

  /** Makes the candidate the stable release and ends the split, in one write. Creates the target on a first deployment. */
  promote(ctx: CallContext, args: { spec: Spec; candidate: string; fence: Fence }): Promise<Written>;

  /**
   * Brings the target to `before`, from wherever it is, capacity first, and what `before.latest` keeps last. Always writes, so that a late attempt of a dead
   * worker finds its revision spent. A state that neither `before` nor `attempted` explains is a foreign change
   * (SLUICE_FOREIGN_CHANGE) unless `force`.
   */
  restore(ctx: CallContext, args: RestoreArgs): Promise<Written>;

  /** Deletes old releases beyond `spec.retain` that nothing refers to; `keep` is spared. Returns what was deleted. */
  retire(
    ctx: CallContext,
    args: { spec: Spec; keep: string[] },
  ): Promise<{ deleted: string[]; kept: { version: string; why: string }[] }>;

  /** One call to exactly this release (`environment`: through the environment's stable address, which must hold it). */
  invoke(
    ctx: CallContext,
    args: { spec: Spec; version: string; payload: unknown; timeoutMs: number },
  ): Promise<ReleaseAnswer>;

  /**
   * Where HTTP reaches exactly this release: for an http probe with `{host}`, asked before each of its calls, so that a driver
   * remembers it. Errors: SLUICE_SPEC where releases have no host of their own.
   */
  address(ctx: CallContext, args: { spec: Spec; version: string }): Promise<Address>;

  /** The platform's own source of a metric; null when it has none of this kind. */
  source(metric: MetricSpec, of: SourceOf): Source | null;

  /** The provider's alarms of a kind, of the target's account and region; null when it has none of this kind. */
  alarms(kind: AlarmSpec['kind'], spec: Spec): Alarms | null;

  /**
   * Values in the environment that the release has at the platform (or that stand wherever it may run), without what Sluice itself
   * has put there. Secrets of other specs are among them, so that nothing of it may leave the activity.
   */
  values(ctx: CallContext, args: { spec: Spec; version: string }): Promise<string[]>;

  /** Most frequent errors of the release since `from`, three at most. */
  errors(ctx: CallContext, args: { spec: Spec; version: string; from: number }): Promise<ErrorSample[]>;
}

/** Where HTTP reaches exactly one release. */
export interface Address {
  /** As the platform says it, with its port where that is not the scheme's own. */
  host: string;
  /** What a request must carry so that no other release answers it. */
  headers: Record<string, string>;
}

export interface ReleaseAnswer {
  /** The release that answered, as the platform says. */
  executedVersion: string | null;
  /** The function itself failed: its error type and message. */
  functionError: { type: string; message: string } | null;
  /** The answer, parsed where it is JSON. */
  body: unknown;
  /** HTTP status of the answer, if a release answers HTTP; otherwise the body has it as `statusCode`. */
  status?: number;
  latencyMs: number;
  /** The platform's id of the request, where it tells one. */
  requestId?: string;
}

export interface ErrorSample {
  /** Error type and message, cut and cleaned. */
  what: string;
  count: number;
  requestId?: string;
}
