/** What a rollout tells the companion, parsed as untrusted data. Pure. */
import { LONGEST_TOKEN } from '../../src/model/access.js';
import { isName } from '../../src/model/ids.js';
import { isJson, LARGEST_SPEC } from '../../src/model/json.js';
import type { RolloutInput, Spec } from '../../src/model/spec.js';
import { clean } from '../../src/model/text.js';
import { isRolloutType } from '../../src/model/words.js';
import type { KeptEntry, LateRecord, RolloutEvent, UndoBegun, UndoRecord } from '../messages.js';
import { areLooks } from './late.js';

/**
 * The known fields of an event, and nothing else. Anyone who can signal can send events, a handler that throws would loop its
 * task, and whatever is kept goes into every answer. Null if the event is malformed.
 */
export function eventOf(event: unknown): RolloutEvent | null {
  const { kind, run, strategy, at, entry, undo, late: left } = fieldsOf(event);
  if (!isText(run) || !isTime(at)) return null;
  if (kind === 'began') {
    if (!isRolloutType(strategy)) return null;
    const asked = strategy === 'undo' && undo !== undefined ? begunOf(undo) : undefined;
    return { kind, run, strategy, at, ...(asked === undefined ? {} : { undo: asked }) };
  }
  const kept = entry === null ? null : entryOf(entry);
  const record = undo === null ? null : recordOf(undo);
  const late = lateOf(left);
  return kind !== 'ended' || kept === undefined || record === undefined
    ? null
    : { kind, run, at, entry: kept, undo: record, ...(late === undefined ? {} : { late }) };
}

function begunOf(undo: unknown): UndoBegun | undefined {
  const { by, version, message, hold, keepQueue, seal } = fieldsOf(undo);
  if (!isText(version) || typeof hold !== 'boolean' || typeof keepQueue !== 'boolean') return undefined;
  return {
    by: typeof by === 'string' && by.length <= 300 ? by : null,
    version,
    message: said(message),
    hold,
    keepQueue,
    seal: sealOf(seal),
  };
}

function lateOf(late: unknown): LateRecord | undefined {
  const { app, environment, run, spec, looks, seal } = fieldsOf(late);
  const { platform, account, region } = fieldsOf(fieldsOf(spec).target);
  if (![app, environment, platform, account, region].every(isName) || !isText(run)) return undefined;
  if (!isJson(spec, LARGEST_SPEC) || !areLooks(looks)) return undefined;
  const place = { app: app as string, environment: environment as string };
  return { ...place, run, spec: spec as unknown as Spec, looks, seal: sealOf(seal) };
}

function sealOf(seal: unknown): string | null {
  return typeof seal === 'string' && seal.length <= LONGEST_TOKEN ? seal : null;
}

function entryOf(entry: unknown): KeptEntry | undefined {
  const { version, digest, since, until, by, run, strategy, message, replaced, undoUntil, spec, seal, kept } =
    fieldsOf(entry);
  const timed = isTime(since) && (until === null || isTime(until));
  if (!isText(version) || !isText(run) || !timed || !isRolloutType(strategy)) return undefined;
  return {
    ...{ version, run, since, until, strategy },
    digest: isText(digest) ? digest : '',
    by: said(by),
    message: said(message),
    replaced: isText(replaced) ? replaced : null,
    undoUntil: isTime(undoUntil) ? undoUntil : null,
    retired: null,
    ...keptOf(kept),
    spec: typeof spec === 'string' && /^[0-9a-f]{64}$/.test(spec) ? spec : null,
    seal: sealOf(seal),
  };
}

function keptOf(kept: unknown): Pick<KeptEntry, 'kept'> {
  const { split, by, unwatched } = fieldsOf(kept);
  const { stable, candidate, weight } = fieldsOf(split);
  if (typeof weight !== 'number') return {};
  const read = { stable: isText(stable) ? stable : null, candidate: isText(candidate) ? candidate : null, weight };
  return { kept: { split: read, by: said(by) ?? 'someone', unwatched: unwatched === true } };
}

function recordOf(undo: unknown): UndoRecord | undefined {
  const { version, window, spec, since, seal } = fieldsOf(undo);
  if (!isText(version) || !isTime(window) || window >= 10 * 365 * 86_400_000) return undefined;
  // It becomes part of a task queue's name, and a command that the server cannot accept fails the task for ever.
  const { platform, account, region } = fieldsOf(fieldsOf(spec).target);
  if (!isJson(spec, LARGEST_SPEC) || ![platform, account, region].every(isName)) return undefined;
  return {
    ...{ version, window, spec: spec as RolloutInput },
    ...(isTime(since) ? { since } : {}),
    ...(typeof seal === 'string' && seal.length <= LONGEST_TOKEN ? { seal } : {}),
  };
}

/** The largest ms since the epoch that a date can hold. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) < 4e15;
}

/** A word of Sluice's own, such as a version. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 300;
}

/** Text from a person, truncated. */
function said(value: unknown): string | null {
  return typeof value === 'string' ? clean(value, 300) : null;
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
