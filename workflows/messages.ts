/** The messages a rollout and a target's companion understand. Clients may import this file. */
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

/** The same verb as a signal: silent; a refusal is recorded where a person sees it. */
export function verbSignal(verb: MessageVerb) {
  return defineSignal<[unknown]>(verb);
}

/**
 * Companion to rollout: a newer release takes its place. Go back, then end as `superseded`. With `run` it is meant for that
 * run alone, so that one which arrives late never ends the release it was sent for.
 */
export const supersedeSignal = defineSignal<[{ by?: string; run?: string; token?: string }]>('supersede');

/** What the companion answers to a submitted release. */
export interface SubmitAnswer {
  /** `superseded`: a still newer release took its place in the queue before it could begin. */
  state: 'started' | 'queued' | 'replacing' | 'superseded';
  /** The run, once started. */
  run: string | null;
  /** Why it never began, when it did not. */
  why: string | null;
  /** By what the companion's view names this release until its run is known. */
  ticket: string;
  /** The release that waited and lost its place to this one. */
  tookPlaceOf: QueuedView | null;
}

export interface Submission {
  type: RolloutType;
  input: RolloutInput;
  mode: 'queue' | 'replace';
  by: string | null;
  message: string | null;
}

/** A release handed to the companion, for `onNewRelease: queue | replace`. */
export const submitUpdate = defineUpdate<SubmitAnswer, [Submission]>('submit');
/** The companion's view. */
export const companionQuery = defineQuery<CompanionView>('companion');
/** SHA-256 digests, in hex, of everything in the artifact store that the target may still need. */
export const heldQuery = defineQuery<string[]>('held');

/** Rollout to companion: a rollout of the target began or ended. */
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

/** A first deployment that was taken back: what a call of it may still create. */
export interface LateRecord {
  app: string;
  environment: string;
  run: string;
  spec: Spec;
  /** When the companion looks for that, in ms after it has learned of the end. */
  looks: number[];
  /** A worker's. Null where the workers have no key. */
  seal: string | null;
}

/** An entry of the ledger as the companion keeps it. */
export interface KeptEntry extends LedgerEntry {
  /** A worker's: by it an undo believes the spec. Null where the workers have no key. */
  seal: string | null;
}

/** What an undo asks of the companion when it begins. */
export interface UndoBegun {
  by: string | null;
  version: string;
  message: string | null;
  /** Nothing starts afterwards until a person says so. */
  hold: boolean;
  /** What waits in the queue starts afterwards. */
  keepQueue: boolean;
  /** A worker's: by it the companion is told that an undo of this run really asks so. Null where the workers have no key. */
  seal: string | null;
}

/** What an undo goes by: who replaced what at which target, and the ledger's entry of the release it goes back to. */
export interface UndoAnswer {
  record: UndoRecord;
  entry: KeptEntry | null;
}

/** What the companion keeps so that `undo` and retiring work after the run itself is gone. */
export interface UndoRecord {
  /** The version to go back to. */
  version: string;
  /** Milliseconds the window lasts. */
  window: number;
  /** The spec of the rollout that replaced it. */
  spec: RolloutInput;
  /** When a worker sealed it, ms since the epoch: the window begins then. */
  since?: number;
  /** A worker's: by it later activities believe the record. Null where the workers have no key. */
  seal?: string | null;
}

export const rolloutEventSignal = defineSignal<[RolloutEvent]>('rolloutEvent');
/**
 * What `undo` needs: without a release the one that was replaced, while the rollback window lasts; with one any of the ledger.
 * Null when there is nothing to go back to.
 */
export const undoQuery = defineQuery<UndoAnswer | null, [string | null]>('undoRecord');

/** Releases a target that is held. With a policy `token` says who. */
export const unholdUpdate = defineUpdate<{ by: string | null }, [{ by?: string; token?: string }]>('unhold');
