/** A cloud on this machine that the demo's releases and users live on. */
import type { Target } from '../model/spec.js';

export type Platform = Target['platform'];

/** What the demo's users ask of the release that is theirs. */
export interface Users {
  /** One request of one user. Never rejects: what went wrong is a failure, and `why` says what kept an answer away. */
  ask(user: string, cart: string[]): Promise<{ version: string; failed: boolean; why?: string }>;
  close(): void;
}

export interface Cloud {
  platform: Platform;
  /** What a person would call its API, and where it listens. */
  api: { name: string; url: string };
  /** What a process needs in its environment to use it. */
  env: Record<string, string>;
  /** Users of `checkout`. */
  users(): Users;
  /** When traffic was last taken from a candidate, by the cloud's own log of writes (ms since the epoch); null: never. */
  takenBackAt(): number | null;
  stop(): Promise<void>;
}
