/**
 * Why something that a person says to a rollout is refused: one set of rules for the rollout itself, for the workers that check what
 * is signed, and for whoever asks before saying it. Pure.
 */
import type { GateView } from '../access.js';
import type { ErrorCode } from '../errors.js';
import { clean } from '../text.js';
import { VERB_TABLE } from '../verbs.js';
import type { MessageVerb, Outcome, Phase } from '../words.js';

/** All of a rollout that decides what may be said to it now. */
export interface Facts {
  phase: Phase | 'done';
  outcome: Outcome | null;
  code: ErrorCode | null;
  startedBy: string | null;
  /** Why it leaves the plan; null on the way forward. */
  leaving: string | null;
  /** Someone else's change was kept: the rollout ends, and writes nothing more. */
  kept: boolean;
  /** A pause runs, or is interrupted by something else. */
  paused: boolean;
  /** A bake runs that a person may end early. */
  skippable: boolean;
  /** It is held for want of evidence, and for no other reason. */
  undecided: boolean;
  /** The running step's approval; `open` null once it is decided. */
  gate: { stage: string; decidedBy: string | null; open: GateView | null } | null;
  /** The candidate has a part of the traffic, and not all. */
  part: boolean;
}

export type Payload = Record<string, unknown>;

const TEXTS = ['by', 'comment', 'stage', 'token'] as const;
const FLAGS = ['full', 'force', 'keep', 'unwatched', 'adopt'] as const;

/**
 * Why the verb is refused now; null when it is not. `signed`: what a decision says stands inside its signature, where a worker looks
 * at it; nothing beside it counts.
 */
export function refusal(facts: Facts, verb: MessageVerb, given: unknown, signed = false): string | null {
  const { phase, leaving } = facts;
  const shape = misshapen(verb, given);
  if (shape !== null) return shape;
  const payload = (given ?? {}) as Payload;
  if (phase === 'done' || VERB_TABLE[verb].in[phase] === undefined) {
    const state = phase === 'done' ? `done (${facts.outcome})` : phase;
    return `${verb} is not possible while ${state}: ${VERB_TABLE[verb].otherwise}`;
  }
  if (facts.kept) return `${verb} comes too late: the rollout is ending (${leaving})`;
  if (leaving !== null && verb !== 'abort' && verb !== 'retry')
    return `${verb} comes too late: the rollout is rolling back (${leaving})`;
  switch (verb) {
    case 'approve':
    case 'reject':
      return decision(facts, verb, payload, signed);
    case 'abort':
      return abort(facts, payload);
    case 'retry':
      return retry(facts, payload);
    case 'promote':
      return promote(facts);
    case 'skip':
      return facts.skippable ? null : VERB_TABLE.skip.otherwise;
    case 'pause':
      return facts.paused ? 'it is already paused' : null;
    // The phase alone decides.
    default:
      return null;
  }
}

/** Anyone can send a payload: a handler that throws on one would loop its workflow task for ever. */
function misshapen(verb: MessageVerb, given: unknown): string | null {
  const like = VERB_TABLE[verb].payload;
  if (given !== undefined && (typeof given !== 'object' || given === null || Array.isArray(given)))
    return `the payload must be a JSON object like ${like}`;
  const payload = (given ?? {}) as Payload;
  for (const key of TEXTS) {
    // What a worker has checked says null for what is not there.
    if (payload[key] != null && typeof payload[key] !== 'string') return `"${key}" must be a string, like ${like}`;
  }
  for (const key of FLAGS) {
    if (payload[key] !== undefined && typeof payload[key] !== 'boolean') return `"${key}" must be true or false`;
  }
  return null;
}

function decision(
  { gate, startedBy }: Facts,
  verb: 'approve' | 'reject',
  payload: Payload,
  signed: boolean,
): string | null {
  if (gate === null) return `${verb}: ${NO_APPROVAL}`;
  const { stage, open } = gate;
  if (open === null) return `stage ${stage} is already decided, by ${gate.decidedBy ?? 'someone'}`;
  if (signed) return null;
  const like = `{"stage":"${stage}","by":"you"}`;
  if (payload.stage == null) return `name the stage: ${like}`;
  const other = wrongStage(String(payload.stage), open);
  if (other !== null) return other;
  if (payload.by == null || clean(payload.by) === '') return `name who decides: ${like}`;
  return unmet(verb, { by: nameIn(payload), comment: payload.comment }, open, startedBy);
}

/** Said of a decision where none is asked for. */
export const NO_APPROVAL = VERB_TABLE.approve.otherwise;

/** A decision for another stage than the one that waits. */
export function wrongStage(stage: string, gate: Pick<GateView, 'stage'>): string | null {
  return stage === gate.stage ? null : `stage "${clean(stage, 60)}" isn't waiting for approval; "${gate.stage}" is`;
}

/** What a decision lacks at the open gate; null when it counts. */
export function unmet(
  verb: 'approve' | 'reject',
  { by, comment }: { by: string; comment?: unknown },
  gate: Pick<GateView, 'comment' | 'approved' | 'people' | 'notStarter'>,
  startedBy: string | null,
): string | null {
  if (gate.comment && clean(comment) === '') return 'a comment is needed: -m "why", or "comment":"why"';
  if (verb === 'reject') return null;
  if (gate.notStarter && by === startedBy) return `${by} started this rollout; someone else must approve it`;
  if (gate.approved.includes(by)) return `${by} has approved already; ${gate.people} different people are needed`;
  return null;
}

/** Said of a person without the right, which `holders` have. Null: what right it is about has been said. */
export function mayNot(name: string, right: string | null, holders: readonly string[]): string {
  return `${name} may not${right === null ? '' : ` ${right} here`}; ${holders.length === 0 ? 'nobody' : clean(holders.join(', '), 200)} may`;
}

function promote({ phase, gate, undecided, skippable }: Facts): string | null {
  if (gate !== null) return 'promote cannot pass an open approval; approve or reject it';
  // It would end a bake that is yet to come.
  if (phase === 'baking' && !skippable) return `${VERB_TABLE.skip.otherwise}; promote once one is`;
  if (phase === 'held' && !undecided) return 'an unhealthy candidate cannot be promoted; abort, or retry the bake';
  return null;
}

function retry({ phase, code, gate }: Facts, { adopt }: Payload): string | null {
  const foreign = code === 'SLUICE_FOREIGN_CHANGE';
  if (adopt === true && !foreign) return 'there is no foreign change to adopt';
  if (foreign && adopt !== true)
    return `${FOREIGN}; retry with {"adopt":true} (--adopt) to accept that change, or ${KEEP_OR_FORCE}`;
  if (phase === 'held' && gate !== null) return 'an approval is open; approve or reject it';
  return null;
}

const FOREIGN = 'someone else changed the target';
const KEEP_OR_FORCE =
  'abort with {"keep":true} (--keep) to leave that change and end, or with {"force":true} (--force) to overwrite it and roll back';

/** A foreign change waits for a person's word. */
export function mayKeep({ phase, code, kept }: Pick<Facts, 'phase' | 'code' | 'kept'>): boolean {
  return phase === 'stuck' && code === 'SLUICE_FOREIGN_CHANGE' && !kept;
}

/** A foreign change is the one thing that an abort does not outrank: it has to say what becomes of it. */
function abort(facts: Facts, { keep, force, unwatched }: Payload): string | null {
  if (keep === true && force === true) return 'keep (leave that change and end) or force (overwrite it), not both';
  if (unwatched === true && keep !== true) return '"unwatched" goes with "keep": {"keep":true,"unwatched":true}';
  if (keep === true) return mayKeep(facts) ? null : 'there is no foreign change to keep; abort without keep';
  if (force === true || !mayKeep(facts)) return null;
  return `${FOREIGN}; ${KEEP_OR_FORCE}`;
}

/** Who says it, as far as the message says so. */
export function nameIn(given: unknown): string {
  const by = typeof given === 'object' && given !== null ? (given as Payload).by : undefined;
  return typeof by === 'string' && clean(by) !== '' ? clean(by, 60) : 'someone';
}
