import type { JudgeState, Verdict } from '../../src/judge/types.js';
import type { Spec } from '../../src/model/spec.js';
import type { ErrorSample } from '../platform/platform.js';
import type { Asked } from './sources/source.js';

/** One stretch of watching: as long as the candidate has this weight. */
export interface WatchInput {
  spec: Spec;
  stable: string | null;
  candidate: string;
  weight: number;
  /** When this weight began, in ms since the epoch: sources count from here. */
  from: number;
  /** The judge's state so far, when the watcher goes on with an earlier stretch of the same weight. */
  state: JudgeState | null;
}

/** What the watcher returns: early when unhealthy, else when it is cancelled. */
export interface WatchReport {
  verdict: Verdict;
  state: JudgeState;
  /** The candidate's most frequent errors, three at most: why its probes failed and, once unhealthy, what its logs say. */
  errors: ErrorSample[];
  /** By source: what was asked last, and what the answer was, cut. Absent when there are no metrics. */
  asked?: Record<string, Asked[]>;
}

/** What the watcher's heartbeat carries: enough to go on after a crash, and to show live counts. */
export interface WatchHeartbeat {
  report: WatchReport;
  at: number;
}

/** A probe's result, for a step that must pass before the candidate gets weight. */
export interface ProbeReport {
  passed: boolean;
  /** One line a probe. */
  lines: string[];
  /** Why not, in full, when not passed. */
  why?: string;
}
