/** The port of the judge's sources: who counts users' requests, and in which stretches of time. */
import type { Counts } from '../../judge/types.js';
import type { Spec } from '../../model/spec.js';

/** What is counted in one closed stretch of time. */
export interface SourceTick {
  /** End of the stretch, in ms since the epoch. Rising, and the same whoever reads it, so that none counts twice. */
  id: number;
  /** Null: the source says nothing of this release in this stretch, which is not zero. */
  stable: Counts | null;
  candidate: Counts | null;
}

/** A question to the source's server and what it answered, so that a person can check it by hand. */
export interface Asked {
  query: string;
  answer: string;
}

export interface Reading {
  ticks: SourceTick[];
  /** Empty when no stretch was due, and so nobody was asked. */
  asked: Asked[];
}

/**
 * A source of counts by release. Its stretches are on a fixed grid, whenever it is read. A stretch is reported once its
 * watermark has passed (its end and the metric's delay), and never changes afterwards.
 */
export interface Source {
  /** It sees every request, our own probes too, and leaves out those that `isProbe` knows. */
  seesProbes?: true;
  /**
   * The closed stretches that end after `since` (ms since the epoch: when the weight began, or the id of the last tick),
   * oldest first; of a long time the oldest ones, and the others with the next reads.
   * Errors: a SluiceError that says what was asked and why there is no answer; an AbortError soon after `signal` is aborted.
   */
  read(ctx: { signal: AbortSignal }, since: number): Promise<Reading>;
}

/** Whose requests are counted. */
export interface SourceOf {
  spec: Spec;
  stable: string | null;
  candidate: string;
  /** When the candidate got its present weight, in ms since the epoch. */
  from: number;
  /** Whether a request is one of our probes, by the id that the platform gave it. */
  isProbe(requestId: string): boolean;
  /** ms since the epoch. */
  now(): number;
}

/** An alarm of the provider. */
export interface AlarmState {
  state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';
  /** Since when, in ms since the epoch. */
  since: number;
  why: string;
}

export interface Alarms {
  /** The state of each alarm by its name; null if there is no such alarm. Errors: a SluiceError. */
  states(ctx: { signal: AbortSignal }, names: string[]): Promise<Record<string, AlarmState | null>>;
}
