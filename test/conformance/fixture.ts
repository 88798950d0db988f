import type { ReleaseSource, Spec } from '../../src/model/spec.js';
import type { PlatformDriver, Split } from '../../src/platforms/port.js';

/**
 * What a provider or the network can do to a call. `lostAnswer`: the call takes effect and its answer never arrives.
 * `held`: it arrives at the provider a second or two after it was sent.
 */
export type Fault = 'throttle' | 'serverError' | 'reset' | 'lostAnswer' | 'held' | 'denied' | 'badCredentials';
/** Which calls meet it: reading the target, moving its traffic, and the steps of making a release. */
export type FaultPoint = 'read' | 'traffic' | 'code' | 'configuration' | 'publish';

/** A write to the target's traffic, in the order in which the provider took it. */
interface TrafficWrite {
  /** Our mark, whole, if it left one. */
  mark: string | null;
  split: Split;
  /** False: refused. */
  applied: boolean;
}

/** Where platforms honestly differ. Each says why; what it changes in a test is said there. */
export interface Traits {
  /** The provider itself refuses a write whose revision is spent. Without, one that is on its way already takes effect. */
  refusesLateWrites: boolean;
  /** A promotion out of a split is two writes: the split ends before the releases change places. */
  endsSplitFirst: boolean;
  /** Capacity is kept for each release. Without, it belongs to where a release runs. */
  capacityByRelease: boolean;
  /** What `inspect` says of a target for which nobody has asked for capacity. */
  restingCapacity: number;
  /** Something besides the target can need a release. */
  refersToReleases: boolean;
  /** A release that no target has. */
  absent: number | string;
}

/** One target, with what a test does to it behind the driver's back. */
export interface TestTarget {
  /** Two releases that exist already. The first is live unless the target was made without. */
  releases: [string, string];
  spec(overrides?: Partial<Spec>): Spec;
  /** Code that answers `content`, not deployed yet. */
  source(content: string): Promise<ReleaseSource>;
  /** What is there, as the provider says. Null: no target. */
  read(): Promise<{ split: Split; text: string } | null>;
  /** Somebody else writes the target. */
  writeOutside(split: Split & { stable: string }, text?: string): Promise<void>;
  deleteOutside(): Promise<void>;
  /** Something besides the target needs this release. */
  referTo(version: string): Promise<void>;
  /** Releases that exist, oldest first. */
  existing(): Promise<string[]>;
  /** Instances kept ready for a release. */
  capacityOf(version: string): Promise<number>;
  /** Code digest of a release. */
  digestOf(version: string): Promise<string>;
  environments(): Promise<{ blue: string | null; green: string | null }>;
  /** Writes since the target was made, or since `forgetWrites`. */
  writes(): TrafficWrite[];
  forgetWrites(): void;
}

/** A platform under test. */
export interface ConformanceFixture {
  driver: PlatformDriver;
  traits: Traits;
  /** `live: false`: there is no target yet. `alone`: nobody else's releases are in its list. */
  newTarget(options?: { live?: boolean; alone?: boolean }): Promise<TestTarget>;
  /** The next `times` matching calls meet the fault. */
  inject(fault: Fault, at: FaultPoint, times: number): Promise<void>;
  /** How many calls have met a fault since the last `inject`. */
  struck(): Promise<number>;
  heal(): Promise<void>;
  stop(): Promise<void>;
}
