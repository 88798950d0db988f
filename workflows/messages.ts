/** The messages that a rollout and a target's companion accept. Clients may import this file. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { RolloutInput, Spec } from '../src/model/spec.js';
import type {
  CompanionView,
  Decision,
  LedgerEntry,
  QueuedView,
  RolloutView,
  VerbAnswer,
  VerbArgs,
} from '../src/model/view.js';
import type { MessageVerb, RolloutType } from '../src/model/words.js';
import type { Plan } from '../src/strategies/types.js';

/** The whole view of a rollout. */
export const statusQuery = defineQuery<RolloutView>('status');
/** The plan being executed; null before `prepare` has made it. */
export const planQuery = defineQuery<Plan | null>('plan');

/** A verb as an update: validated and answered at once. */
export function verbUpdate(verb: MessageVerb) {
  return defineUpdate<VerbAnswer, [Decision & VerbArgs]>(verb);
}

/** The same verb as a signal: it gets no answer, and a refusal is recorded where people see it. */
export function verbSignal(verb: MessageVerb) {
  return defineSignal<[unknown]>(verb);
}

/**
 * Companion to rollout: a newer release replaces this rollout. Roll back, then end as `superseded`. With `run` it is meant
 * only for that run, so that a late one never ends the release it was sent for.
 */
export const supersedeSignal = defineSignal<[{ by?: string; run?: string; token?: string }]>('supersede');

/** The companion's answer to a submitted release. */
export interface SubmitAnswer {
  /** `superseded`: a still newer release took its place in the queue before it could start. */
  state: 'started' | 'queued' | 'replacing' | 'superseded';
  /** The run, once started. */
  run: string | null;
  /** Why it never started, if it did not. */
  why: string | null;
  /** The name of this release in the companion's view until its run is known. */
  ticket: string;
  /** The waiting release that lost its place to this one. */
  tookPlaceOf: QueuedView | null;
}

export interface Submission {
  type: RolloutType;
  input: RolloutInput;
  mode: 'queue' | 'replace';
  by: string | null;
  message: string | null;
}

/** A release submitted to the companion, for `onNewRelease: queue | replace`. */
export const submitUpdate = defineUpdate<SubmitAnswer, [Submission]>('submit');
/** The companion's view. */
export const companionQuery = defineQuery<CompanionView>('companion');
/** SHA-256 digests, in hex, of everything in the artifact store that the target may still need. */
export const heldQuery = defineQuery<string[]>('held');

/** Rollout to companion: a rollout of the target started or ended. */
export type RolloutEvent =
  | { kind: 'began'; run: string; strategy: RolloutType; at: number; undo?: UndoBegun }
  | {
      kind: 'ended';
      run: string;
      at: number;
      entry: KeptEntry | null;
      undo: UndoRecord | null;
      late?: LateRecord;
    };

/** A rolled-back first deployment: what its late calls may still create. */
export interface LateRecord {
  app: string;
  environment: string;
  run: string;
  spec: Spec;
  /** When the companion checks for that, in ms after it learned of the end. */
  looks: number[];
  /** A worker's seal. Null if the workers have no key. */
  seal: string | null;
}

/** An entry of the ledger as the companion keeps it. */
export interface KeptEntry extends LedgerEntry {
  /** A worker's seal, which lets an undo trust the spec. Null if the workers have no key. */
  seal: string | null;
}

/** What an undo asks of the companion when it starts. */
export interface UndoBegun {
  by: string | null;
  version: string;
  message: string | null;
  /** Nothing starts afterwards until a person allows it. */
  hold: boolean;
  /** The queued release may start afterwards. */
  keepQueue: boolean;
  /**
   * A worker's seal, which proves to the companion that an undo of this run really asked for it. Null if the workers have no
   * key.
   */
  seal: string | null;
}

/** What an undo uses: who replaced what at which target, and the ledger's entry of the release it rolls back to. */
export interface UndoAnswer {
  record: UndoRecord;
  entry: KeptEntry | null;
}

/** What the companion keeps so that `undo` and deleting old releases work after the run itself is gone. */
export interface UndoRecord {
  /** The version to roll back to. */
  version: string;
  /** Length of the window in milliseconds. */
  window: number;
  /** The spec of the rollout that replaced it. */
  spec: RolloutInput;
  /** When a worker sealed it (ms since the epoch): the window starts then. */
  since?: number;
  /** A worker's seal, which lets later activities trust the record. Null if the workers have no key. */
  seal?: string | null;
}

export const rolloutEventSignal = defineSignal<[RolloutEvent]>('rolloutEvent');
/**
 * What `undo` needs: without a release, the one that was replaced, while the rollback window lasts; with one, any release of
 * the ledger. Null if there is nothing to roll back to.
 */
export const undoQuery = defineQuery<UndoAnswer | null, [string | null]>('undoRecord');

/** Releases a held target. With a policy, `token` says who does. */
export const unholdUpdate = defineUpdate<{ by: string | null }, [{ by?: string; token?: string }]>('unhold');
