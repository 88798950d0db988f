/** What people sign, and what a rollout records about who may do what. Pure. */
import type { KeyPrint } from './sealed.js';
import { MESSAGE_VERBS } from './verbs.js';
import type { MessageVerb, RolloutType } from './words.js';

/** Longest signed statement that is read, in characters. */
export const LONGEST_TOKEN = 8_192;

/**
 * What a policy can allow. `moveCallers` is `adopt --move-callers`, `hold` is `undo --hold`, `unhold` ends it. `override` is
 * deciding on someone else's change: `abort --force`, `abort --keep`, `retry --adopt`.
 */
export const RIGHTS = [
  ...(['start', 'plan', 'adopt', 'moveCallers', 'undo', 'hold', 'unhold'] as const),
  ...MESSAGE_VERBS,
  'override' as const,
];
export type Right = (typeof RIGHTS)[number];

/** What begins something: it is signed over what it begins. */
export const BEGINNINGS = ['start', 'plan', 'adopt', 'moveCallers', 'undo', 'unhold'] as const;
export type Beginning = (typeof BEGINNINGS)[number];

/** The signed start of a rollout, of its undo, or of a short workflow. */
export interface StartStatement {
  act: Beginning;
  app: string;
  environment: string;
  strategy: RolloutType;
  /** Digest of the spec; null for `undo`, whose spec is the target's own. */
  spec: string | null;
  /**
   * `undo`: the version to roll back to. `unhold`: the run whose hold it ends. `moveCallers`: digest of what was shown.
   * Otherwise null: the spec says what is released, packed code by its digest.
   */
  release: string | null;
  /** `undo`: nothing starts afterwards until it is released. */
  hold?: boolean;
  /** `undo`: what waits in the queue starts afterwards. */
  keepQueue?: boolean;
  /** It may take the place of a running rollout; without it, it waits or is refused. */
  replaces?: boolean;
}

/** The gate that a decision is about, as an open approval publishes it. */
export interface GateStatement {
  /** The plan's step. */
  id: string;
  stage: string;
  /** Digest of the plan. */
  plan: string;
  /** When the gate closes, ms since the epoch. */
  expires: number;
}

/** A signed verb: for one run, and a decision for one gate of it. */
export interface VerbStatement {
  act: MessageVerb;
  app: string;
  environment: string;
  run: string;
  gate?: GateStatement;
  comment?: string;
  full?: boolean;
  force?: boolean;
  keep?: boolean;
  unwatched?: boolean;
  adopt?: boolean;
}

export type Statement = StartStatement | VerbStatement;

/** Whether a verb decides on someone else's change of the target, which needs the right to `override`. */
export function isOverride(said: { force?: unknown; keep?: unknown; unwatched?: unknown; adopt?: unknown }): boolean {
  return [said.force, said.keep, said.unwatched, said.adopt].includes(true);
}

/** A worker with another policy than the one that was asked. */
export interface OtherPolicy {
  /** The beginning of its digest; `open` where it has none. */
  policy: string;
  /** Identity of such a worker. */
  worker: string;
}

/** What a rollout records when it begins: by which policy, and who began it. */
export interface AccessRecord {
  /** Digest of the policy; null: everything is open. */
  policy: string | null;
  /** Who signed the start; null when nobody had to. */
  starter: string | null;
  /** Verbs that need no signature; `override`: nor do their `force`, `keep`, `unwatched` and `adopt`. */
  open: (MessageVerb | 'override')[];
  /** What the activities ask for: this run may do the steps before its plan is made. Null without a key. */
  grant: string | null;
  /** Workers that went by another policy at that moment. */
  others?: OtherPolicy[];
}

/** Where people log in. */
export interface Provider {
  issuer: string;
  clientId: string;
  scopes: string[];
  /** What the login must say. */
  claims: string[];
}

/** What a worker says of itself to whoever wants to log in. */
export interface WorkerIdentity {
  /** Digest of its policy; null: everything is open. */
  policy: string | null;
  /** The public key (JWK) that logins are encrypted to; null without a grant key. */
  encryption: { kty?: string; crv?: string; x?: string; kid?: string } | null;
  /** Where people log in. */
  logins: Provider[];
  /** Whether a CI's token may count. */
  robots: boolean;
  /** The keys that it opens messages with; the first one encrypts. */
  codecKeys: KeyPrint[];
}

/** An open approval, as whoever decides must sign it. */
export interface GateView extends GateStatement {
  /** How many distinct people must approve. */
  people: number;
  /** Who has approved so far. */
  approved: string[];
  /** Names of those who may; empty if it is open to anyone. */
  approvers: string[];
  /** Not the one who started the rollout. */
  notStarter: boolean;
  /** A comment is needed. */
  comment: boolean;
}

/** A checked message from a person: by whom, and what of it counts. */
export interface CheckedMessage {
  ok: true;
  /** `supersede` comes from the target's companion, with a worker's seal. */
  verb: MessageVerb | 'supersede';
  by: string;
  comment: string | null;
  stage: string | null;
  full: boolean;
  force: boolean;
  keep: boolean;
  unwatched: boolean;
  adopt: boolean;
  /** The statement's own id and end (ms since the epoch): it counts once. */
  id: string;
  until: number;
  /** Of an approval: proof for the steps behind the gate. */
  receipt: string | null;
}

export type MessageAnswer = CheckedMessage | { ok: false; verb: string; by: string; why: string };
