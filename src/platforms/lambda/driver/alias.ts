/** The alias of a target: read, created and written, each write fenced by the revision that it replaces. */
import {
  type AliasConfiguration,
  CreateAliasCommand,
  DeleteAliasCommand,
  GetAliasCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-lambda';
import type { Fence, Split, Traffic, Written } from '../../port.js';
import { describe, readDescription } from '../../shared/description.js';
import { hasCode } from '../../shared/failures.js';
import { ForeignChange } from '../../shared/foreign.js';
import { NO_SPLIT, sameSplit, say } from '../../shared/splits.js';
import { call, type Session } from './client.js';
import { existsAlready, isPrecondition } from './errors.js';
import { routing, splitOf } from './split.js';

/** An alias as it was read. */
export interface Alias {
  name: string;
  revision: string;
  split: Split;
  /** The user's own text. */
  text: string;
  /** Our mark, whole, if there is one. */
  mark: string | null;
}

/** What an alias shall be after a write. */
export interface Wanted {
  split: Split & { stable: string };
  text: string;
  mark: string;
}

/** Reads an alias, by default the target's own. Null if it does not exist. */
export async function readAlias(session: Session, name = session.target.alias): Promise<Alias | null> {
  try {
    const alias = parse(
      await call(session, new GetAliasCommand({ FunctionName: session.target.function, Name: name })),
      name,
    );
    session.ctx.heed(alias.mark);
    session.seenWithoutPolicy.set(keyOf(session, name), alias.revision);
    return alias;
  } catch (error) {
    if (hasCode(error, 'SLUICE_NOT_FOUND')) return null;
    throw error;
  }
}

/** What of it a target's state is. */
export function trafficOf(alias: Alias | null): Traffic {
  return { split: alias?.split ?? NO_SPLIT, revision: alias?.revision ?? null, mark: alias?.mark ?? null };
}

/**
 * Whether a write that is fenced by this revision needs no look at the mark before it: this worker may write anywhere, or it has
 * seen that revision without the mark of a policy.
 */
export function isHeeded(session: Session, revision: string): boolean {
  return !session.ctx.heedful || session.seenWithoutPolicy.get(keyOf(session, session.target.alias)) === revision;
}

function keyOf({ target }: Session, alias: string): string {
  return [target.roleArn ?? '', target.account, target.region, target.function, alias].join('/');
}

/** Before something else than the alias is written: whether this worker may write at this target at all. */
export async function heedMark(session: Session): Promise<void> {
  if (session.ctx.heedful) await readAlias(session);
}

/**
 * Writes an alias that must have `revision`; null: it must not exist. `false` when it has another revision, or none, or
 * exists already. The answer is not proof: read back what must be sure.
 */
export async function writeAlias(
  session: Session,
  name: string,
  revision: string | null,
  wanted: Wanted,
): Promise<boolean> {
  const input = {
    FunctionName: session.target.function,
    Name: name,
    ...routing(wanted.split),
    Description: describe(wanted.text, wanted.mark),
  };
  try {
    if (revision === null) await call(session, new CreateAliasCommand(input));
    else await call(session, new UpdateAliasCommand({ ...input, RevisionId: revision }));
    return true;
  } catch (error) {
    if (revision === null && existsAlready(error)) return false;
    if (isPrecondition(error)) return false;
    if (revision !== null && hasCode(error, 'SLUICE_NOT_FOUND') && (await readAlias(session, name)) === null)
      return false;
    throw error;
  }
}

/** Deletes an alias; one that is gone already is deleted. Lambda has no fence for this call. */
export async function deleteAlias(session: Session, name: string): Promise<void> {
  await call(session, new DeleteAliasCommand({ FunctionName: session.target.function, Name: name })).catch(
    (error: unknown) => {
      if (!hasCode(error, 'SLUICE_NOT_FOUND')) throw error;
    },
  );
}

/**
 * One fenced write to the target's alias, safe to call again: a spent revision is our own earlier effect if the alias has our
 * mark and the wanted split, and otherwise someone else's change (SLUICE_FOREIGN_CHANGE).
 */
export async function fencedWrite(session: Session, split: Split & { stable: string }, fence: Fence): Promise<Written> {
  const { alias: name } = session.target;
  // Empty if a person adopted that there is none; sent like this it would not be a fence.
  const revision = fence.revision || null;
  const now = await readAlias(session);
  // The read is for the user's text; the fence stays the caller's revision, never the one just read.
  if ((now?.revision ?? null) === revision) {
    await writeAlias(session, name, revision, { split, text: now?.text ?? '', mark: fence.mark });
  }
  const after = await readAlias(session);
  if (after !== null && after.mark === fence.mark && sameSplit(after.split, split)) {
    return { revision: after.revision, split: after.split };
  }
  throw foreignChange(session, after, revision, split);
}

/** Says what was found, who left it, and what was expected. */
export function foreignChange(
  session: Session,
  is: Alias | null,
  revision: string | null,
  wanted: Split,
): ForeignChange {
  const { function: fn, alias } = session.target;
  const expected = revision === null ? 'no alias' : `revision ${revision}`;
  return new ForeignChange(
    `${fn}:${alias} was changed by someone else: ${found(is)}; expected ${expected}, to write ${say(wanted)}. Nothing was written`,
    is?.split ?? NO_SPLIT,
  );
}

/** What an alias is, and who left it, as half a sentence. */
export function found(alias: Alias | null): string {
  if (alias === null) return 'it does not exist';
  const by = alias.mark === null ? 'no mark of Sluice' : `mark ${alias.mark}`;
  return `it sends ${say(alias.split)} at revision ${alias.revision} (${by})`;
}

function parse(alias: AliasConfiguration, name: string): Alias {
  const { text, mark } = readDescription(alias.Description);
  return { name, revision: alias.RevisionId ?? '', split: splitOf(alias), text, mark };
}
