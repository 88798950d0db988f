/** What the rounds are played on: an emulated cloud with one target that users ask all the time. */
import type { Users } from '../../src/demo/cloud.js';

/** A fault of the provider at the next two writes to the target's traffic. */
export type CloudFault = 'throttle' | 'serverError' | 'reset' | 'lostAnswer';

/** A write to the target's traffic that the provider took, in the order of its effect. */
export interface TrafficWrite {
  seq: number;
  /** Our mark; null: none. */
  mark: string | null;
  /** The candidate's weight after it, in percent; null: none is left. */
  weight: number | null;
  /** Releases changed places. */
  swap: boolean;
}

export interface Ground {
  /** The worker's environment, beside Temporal's address. */
  env: Record<string, string>;
  users(): Users;
  /** Writes the releases of the rounds below a folder. */
  writeExamples(folder: string): void;
  /** `target`, `release`, `configuration` and `health` of a round's spec. */
  spec(round: { number: number; good: boolean }, examples: string): Record<string, unknown>;
  /** The live release and what else stands where it should not; null: there is no target. */
  state(): Promise<{ version: string; left: string[] } | null>;
  fault(kind: CloudFault): Promise<void>;
  heal(): Promise<void>;
  writes(): TrafficWrite[];
  /** Lets an accepted swap wait until `heal`; false where releases do not change places so. */
  holdSwap(): boolean;
  stop(): Promise<void>;
}

/** What a ground tells between a write's effect and its answer. */
export type OnWrite = (write: { swap: boolean }) => Promise<void>;
