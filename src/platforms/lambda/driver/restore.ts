/** Brings a target back to what it was before the rollout, from wherever it is. */
import { SluiceError } from '../../../model/errors.js';
import { reachOf } from '../../../strategies/registry.js';
import type { RestoreArgs, Split, Written } from '../../port.js';
import { readDescription, sameRun } from '../../shared/description.js';
import { hasCode } from '../../shared/failures.js';
import { NO_SPLIT, sameSplit } from '../../shared/splits.js';
import { type Alias, deleteAlias, foreignChange, heedMark, isHeeded, readAlias, writeAlias } from './alias.js';
import { capacityFirst, dropCapacity } from './capacity.js';
import type { Session } from './client.js';
import { restoreEnvironments } from './environments.js';
import { putLatestBack } from './put-back.js';
import { aliasesByVersion, deleteVersion, listVersions } from './versions.js';

/** Rounds of writing an alias whose revision changes under our hands. */
const ROUNDS = 20;

/**
 * Brings the target to `before` from wherever it is: capacity, then traffic in one write, then what was left beside it, and
 * `$LATEST` where callers of the bare name were let through.
 * Errors: SLUICE_FOREIGN_CHANGE when neither `before` nor `attempted` explains what is there and `force` is not set.
 */
export async function restore(session: Session, args: RestoreArgs): Promise<Written> {
  const { before, spec, mark } = args;
  const { stable } = before.split;
  const known = revisionKnown(args);
  if (known === null || !isHeeded(session, known)) await heedMark(session);
  if (stable !== null) await capacityFirst(session, stable, before.capacity);
  const written = stable === null ? await removeTarget(session, args) : await writeBefore(session, args, stable);
  if (reachOf(spec) === 'idle') await restoreEnvironments(session, before, mark);
  const remarks = await putLatestBack(session, args);
  if (stable === null) remarks.push(...(await forgetPublished(session, args)));
  await dropCandidateCapacity(session, args);
  return remarks.length === 0 ? written : { ...written, remarks };
}

/** The revision that this rollout has left or found. Null: there is no target then, and a write without a revision has no fence. */
function revisionKnown({ lastRevision, before }: RestoreArgs): string | null {
  return (lastRevision ?? before.revision) || null;
}

async function writeBefore(session: Session, args: RestoreArgs, stable: string): Promise<Written> {
  const { before, mark } = args;
  const split = { ...before.split, stable };
  const known = revisionKnown(args);
  // Written before anything is read: that revision is what this rollout left, so nobody else's change is overwritten. If it is
  // spent, a read says by whom.
  if (
    known !== null &&
    (await writeAlias(session, session.target.alias, known, { split, text: before.description, mark }))
  ) {
    const written = await readAlias(session);
    if (written !== null && written.mark === mark && sameSplit(written.split, split)) {
      return { revision: written.revision, split: written.split };
    }
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    const now = await readAlias(session);
    refuseForeign(session, now, args, split);
    const wanted = { split, text: before.description, mark };
    // Written even when all looks right: a late attempt of a dead worker must find its revision spent.
    await writeAlias(session, session.target.alias, now?.revision ?? null, wanted);
    const after = await readAlias(session);
    if (after !== null && after.mark === mark && sameSplit(after.split, split) && after.revision !== now?.revision) {
      return { revision: after.revision, split: after.split };
    }
  }
  throw changing(session);
}

/** The target did not exist before, so it is deleted. */
async function removeTarget(session: Session, args: RestoreArgs): Promise<Written> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const now = await readAlias(session);
    if (now === null) return { revision: '', split: NO_SPLIT };
    refuseForeign(session, now, args, NO_SPLIT);
    await deleteAlias(session, session.target.alias);
  }
  throw changing(session);
}

function refuseForeign(session: Session, now: Alias | null, args: RestoreArgs, wanted: Split): void {
  if (args.force || isExplained(now, args)) return;
  throw foreignChange(session, now, revisionKnown(args), wanted);
}

/** Whether what is there is the before-state, or the effect of a write this rollout has tried. Pure. */
export function isExplained(
  now: Pick<Alias, 'revision' | 'mark' | 'split'> | null,
  { before, attempted, lastRevision, mark }: Omit<RestoreArgs, 'spec' | 'force'>,
): boolean {
  // Empty: a person adopted that there is none.
  if (now === null) return before.split.stable === null || lastRevision === '';
  if (now.revision !== '' && (now.revision === lastRevision || now.revision === before.revision)) return true;
  const ours = [...attempted, { mark, split: before.split }];
  return ours.some((write) => write.mark === now.mark && sameSplit(write.split, now.split));
}

/** Releases this rollout has tried to give traffic. */
function candidates({ attempted, before }: RestoreArgs): string[] {
  const known = attempted.flatMap(({ split }) => [split.stable, split.candidate]);
  const kept = [before.split.stable, before.split.candidate, null];
  return [...new Set(known)].filter((version): version is string => !kept.includes(version));
}

/**
 * After a first deployment there is no alias whose revision could be spent, so a late attempt to create it must find no
 * version to point to: everything that this rollout published is deleted. Other versions are not ours to delete. An alias of
 * this rollout that appeared meanwhile holds its version and is deleted first. Returns what a person should know: versions
 * that someone else's alias refers to. Errors: SLUICE_BUSY while a deletion is refused otherwise.
 */
async function forgetPublished(session: Session, args: RestoreArgs): Promise<string[]> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const refused: string[] = [];
    for (const version of await publishedBy(session, args.mark)) {
      if ((await deleteVersion(session, version)) === 'refused') refused.push(version);
    }
    if (refused.length === 0) return [];
    const holders = await aliasesByVersion(session);
    const held = refused.map((version) => ({ version, aliases: holders.get(version) ?? [] }));
    const ours = await aliasesOf(session, args.mark, new Set(held.flatMap(({ aliases }) => aliases)));
    if (ours.length === 0) {
      if (held.every(({ aliases }) => aliases.length > 0)) return held.map(heldBy);
      break;
    }
    for (const name of ours) await deleteAlias(session, name);
  }
  throw new SluiceError(
    'SLUICE_BUSY',
    `${session.target.function}: AWS still refuses to delete the versions that this rollout has published, because something refers to them`,
  );
}

function heldBy({ version, aliases }: { version: string; aliases: string[] }): string {
  return `version ${version}, which this rollout has published, could not be deleted: alias ${aliases.join(', ')} refers to it`;
}

/** Those of these aliases that the run of this mark has written last. */
async function aliasesOf(session: Session, mark: string, names: Set<string>): Promise<string[]> {
  const ours: string[] = [];
  for (const name of names) {
    if (sameRun((await readAlias(session, name))?.mark ?? null, mark)) ours.push(name);
  }
  return ours;
}

/** Versions that the run of this mark has published. A function that is not there has none. */
async function publishedBy(session: Session, mark: string): Promise<string[]> {
  try {
    const versions = await listVersions(session);
    const ours = versions.filter(({ Description }) => sameRun(readDescription(Description).mark, mark));
    return ours.flatMap(({ Version }) => (Version === undefined ? [] : [Version]));
  } catch (error) {
    if (hasCode(error, 'SLUICE_NOT_FOUND')) return [];
    throw error;
  }
}

/** Ends the capacity made ready for the candidate, unless another alias uses the version too. A refusal is only a cost. */
async function dropCandidateCapacity(session: Session, args: RestoreArgs): Promise<void> {
  const { spec, before, mark } = args;
  if (!spec.configuration.provisionedConcurrency) return;
  try {
    const published = (await listVersions(session)).filter((version) =>
      sameRun(readDescription(version.Description).mark, mark),
    );
    const named = 'version' in spec.release ? [String(spec.release.version)] : [];
    const used = await aliasesByVersion(session);
    const all = new Set([...candidates(args), ...named, ...published.map((version) => version.Version ?? '')]);
    for (const version of all) {
      if (version === '' || version === before.split.stable || used.has(version)) continue;
      await dropCapacity(session, version);
    }
  } catch (error) {
    if (!hasCode(error, 'SLUICE_PERMISSION', 'SLUICE_REFUSED', 'SLUICE_NOT_FOUND')) throw error;
  }
}

function changing(session: Session): SluiceError {
  return new SluiceError(
    'SLUICE_BUSY',
    `${session.target.function}:${session.target.alias} keeps being changed by someone else; it could not be restored`,
  );
}
