/** The view of a rollout: the one JSON value that the CLI, the UI, the report and clients read. */
import type { GateView, OtherPolicy } from './access.js';
import type { Bypass } from './bypass.js';
import type { Counts, SourceCounts, Whose } from './counts.js';
import type { ErrorCode } from './errors.js';
import type { Hold } from './hold.js';
import type { SeriesPoint } from './series.js';
import type { MessageVerb, Outcome, Phase, RolloutType, VerdictState } from './words.js';

/** How the traffic of a target is divided, as it was read. `stable` null: nothing is live. */
export interface SplitView {
  /** The release that gets the rest. */
  stable: string | null;
  /** The release that gets `weight` percent, if any. */
  candidate: string | null;
  /** Percent of traffic the second release gets. */
  weight: number;
}

/** Someone else's change that a person has kept: the rollout ended and wrote nothing more. */
export interface KeptView {
  /** What was read then. */
  split: SplitView;
  by: string;
  /** Nobody watches what was left: the candidate has a part of the traffic, or the target could not be read. */
  unwatched: boolean;
}

/** Everything a person may want to know of a rollout: the `status` query's answer, the result, the memo. Plain JSON. */
export interface RolloutView {
  schema: 1;
  app: string;
  environment: string;
  /** The attempt: the first run id of the workflow. */
  run: string;
  strategy: RolloutType;
  phase: Phase | 'done';
  outcome: Outcome | null;
  /** Why it is in this phase or ended like this, in one or two sentences with numbers. */
  reason: string | null;
  /** Code of the error behind `reason`, where there is one. */
  code: ErrorCode | null;
  /** What the rollout waits for, and the commands that answer it. Null when it waits for nobody. */
  waitingFor: WaitingFor | null;
  target: string;
  platform: string;
  stable: string | null;
  candidate: string | null;
  /** Percent of traffic the candidate has, by `split`. */
  weight: number;
  /** The traffic as last read at the target; null before the first read. */
  split: SplitView | null;
  /** The foreign change that `abort --keep` has left in place; null otherwise. */
  kept: KeptView | null;
  /** Blue-green: which environment serves production. */
  live: 'blue' | 'green' | null;
  /** Who reaches the release beside the target, whatever the weight: let through by the spec. */
  bypass: Bypass[];
  stages: StageView[];
  verdict: VerdictView | null;
  /** The evidence over time, thinned out; oldest first. Empty in the memo. */
  series: SeriesPoint[];
  /** The candidate's most frequent errors, for a rollback. */
  errors: { what: string; count: number; requestId?: string }[];
  /** Newest last; the last 20 and how many there were. */
  events: EventView[];
  eventsTotal: number;
  refusals: RefusalView[];
  refusalsTotal: number;
  startedBy: string | null;
  message: string | null;
  startedAt: number;
  /** When the phase began (ms since the epoch). */
  phaseSince: number;
  endedAt: number | null;
  /** By which policy it runs and who signed the start; null until a worker has looked. */
  access: AccessView | null;
  /** The most requests failed by the candidate etc. are in `verdict`; these are the warnings of the plan's checks. */
  warnings: string[];
}

/** `policy` null: everything is open to whoever reaches the namespace. */
export interface AccessView {
  /** Digest of the policy. */
  policy: string | null;
  /** Who signed the start. */
  starter: string | null;
  /** Workers that went by another policy when it began: what one refuses another may let through. */
  others: OtherPolicy[];
}

export interface WaitingFor {
  /** `approval of stage 10%`, `a decision: held`, `the end of the bake`, ... */
  what: string;
  /** ms since the epoch; null if there is none. */
  until: number | null;
  /** What happens at the deadline. */
  otherwise: string;
  /** Verbs that answer it now. */
  verbs: MessageVerb[];
  /** The stage that `approve` and `reject` name. */
  stage: string | null;
  /** The open approval, as it is signed. */
  gate: GateView | null;
}

export interface StageView {
  name: string;
  /** Percent the candidate has in this stage; null where the stage gives none. */
  weight: number | null;
  state: 'waiting' | 'running' | 'passed' | 'failed' | 'skipped';
  /** `shift · bake 5m · approval`. */
  steps: string;
  /** The step being done. */
  current: string | null;
  startedAt: number | null;
  endedAt: number | null;
  /** Deadline of a running bake or approval. */
  until: number | null;
  note: string | null;
}

export interface VerdictView {
  state: VerdictState;
  why: string;
  /** Whose requests the next two are: the users', or the probes' where no metric counts users. Absent where earlier code has counted. */
  counted?: Whose;
  /** When that was counted (ms since the epoch). Absent where earlier code has counted. */
  at?: number;
  /** At the present weight. */
  stable: Counts;
  candidate: Counts;
  /** What each source has counted at this weight. Absent where earlier code has counted. */
  sources?: SourceCounts[];
  /** Evidence against the candidate, ln E, and the limit ln(1 / alpha) at which it is unhealthy. */
  logE: number;
  limit: number;
  /** How many more requests of the candidate it takes to show that it is no worse; null: the counts do not point that way. */
  needed: number | null;
  /** What each source was asked last, and what it answered. */
  asked: Asked[];
}

/** A source's last question and answer, so that a person can check the verdict by hand. */
export interface Asked {
  source: string;
  query: string;
  answer: string;
}

export interface EventView {
  at: number;
  text: string;
  by?: string;
}

export interface RefusalView {
  at: number;
  verb: string;
  by: string;
  why: string;
}

/** What `approve` and `reject` carry. */
export interface Decision {
  /** The signed statement, if there is a policy; the other fields mean nothing then. */
  token?: string;
  stage?: string;
  by?: string;
  comment?: string;
}

/** What the other verbs carry. */
export interface VerbArgs {
  by?: string;
  comment?: string;
  /** `promote`: over all remaining weights, never over a gate. */
  full?: boolean;
  /** `abort`: write over a foreign change. */
  force?: boolean;
  /** `abort`, on a foreign change: leave it in place, write nothing more and end. */
  keep?: boolean;
  /** With `keep`: also where it leaves a split of the candidate that nothing watches. */
  unwatched?: boolean;
  /** `retry`: take a foreign change as ours. */
  adopt?: boolean;
}

/** An update's answer. */
export interface VerbAnswer {
  verb: MessageVerb;
  phase: Phase | 'done';
  message: string;
  /** The stage that was approved or rejected. */
  stage?: string;
}

/** One line of a target's ledger: what was live, since when, by whom. */
export interface LedgerEntry {
  version: string;
  digest: string;
  /** When it got all traffic; of what someone else put there, when it was kept. */
  since: number;
  /** When another release took its place; null while live. */
  until: number | null;
  by: string | null;
  run: string;
  strategy: RolloutType;
  message: string | null;
  /** The release it replaced. */
  replaced: string | null;
  /** Until when `undo` can take it back, counted from the end of its rollout; null where it replaced nothing. */
  undoUntil: number | null;
  /** When Sluice has deleted it at the provider, after the rollback window; null while it is there. */
  retired: number | null;
  /** Someone else put it there, and a rollout that found it has kept it. */
  kept?: KeptView;
  /** SHA-256 of the document in the artifact store that says by which spec it went live; null when none is known. */
  spec: string | null;
}

/** A release that waits until the way is free. */
export interface QueuedView {
  by: string | null;
  since: number;
  strategy: RolloutType;
  message: string | null;
  ticket: string;
}

/** What became of a release that was handed to the companion. */
export interface SettledView extends QueuedView {
  at: number;
  /** Its run; null when it never began. */
  run: string | null;
  /** Why it never began. */
  why: string | null;
}

/** The companion's view of its target. */
export interface CompanionView {
  app: string;
  environment: string;
  /** Newest first. */
  releases: LedgerEntry[];
  /** The waiting release, if any. */
  queued: QueuedView | null;
  /** The one being started at this moment, which a newer one may be waiting behind. */
  starting: QueuedView | null;
  /** Releases that waited, newest first: started, or why not. The last 20. */
  settled: SettledView[];
  /** Until when `undo` works without a release, and the version it rolls back to. Null if it does not. */
  undo: { version: string; until: number } | null;
  /** No rollout starts here until someone releases the target; null if it is free. */
  hold: Omit<Hold, 'seal'> | null;
  /** A late result of a rolled-back first deployment that was deleted too; null if there was none. */
  takenBack: { version: string; run: string; at: number } | null;
  /** The rollout the companion knows to be running. */
  running: { run: string; strategy: RolloutType; since: number } | null;
}
