import { SluiceError } from '../../../src/model/errors.js';
import { readDescription, sameRun } from '../description.js';
import { hasCode } from '../failures.js';
import type { RestoreArgs, Split, Written } from '../platform.js';
import { NO_SPLIT, sameSplit } from '../splits.js';
import { type Alias, deleteAlias, foreignChange, heedMark, isHeeded, readAlias, writeAlias } from './alias.js';
import { capacityFirst, dropCapacity } from './capacity.js';
import type { Session } from './client.js';
import { readConfiguration } from './configuration.js';
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
  const known = args.lastRevision ?? before.revision;
  if (known === null || !isHeeded(session, known)) await heedMark(session);
  if (stable !== null) await capacityFirst(session, stable, before.capacity);
  const written = stable === null ? await removeTarget(session, args) : await writeBefore(session, args, stable);
  if (spec.strategy.type === 'blueGreen') await restoreEnvironments(session, before, mark);
  const remarks = await putLatestBack(session, args);
  if (stable === null) await forgetCandidates(session, args);
  await dropCandidateCapacity(session, args);
  return remarks.length === 0 ? written : { ...written, remarks };
}

async function writeBefore(session: Session, args: RestoreArgs, stable: string): Promise<Written> {
  const { before, mark } = args;
  const split = { ...before.split, stable };
  const known = args.lastRevision ?? before.revision;
  // Written before anything is read: that revision is what this rollout left, so nobody else's change is written over. Where it is
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
  throw foreignChange(session, now, args.lastRevision ?? args.before.revision, wanted);
}

/** Whether what is there is the before-state, or the effect of a write this rollout has tried. Pure. */
export function isExplained(
  now: Pick<Alias, 'revision' | 'mark' | 'split'> | null,
  { before, attempted, lastRevision, mark }: Omit<RestoreArgs, 'spec' | 'force'>,
): boolean {
  if (now === null) return before.split.stable === null;
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
 * version to point it at: versions that this rollout has published are deleted. Others are not ours to delete.
 */
async function forgetCandidates(session: Session, args: RestoreArgs): Promise<void> {
  for (const version of candidates(args)) {
    const found = await readConfiguration(session, version);
    if (found === null || !sameRun(readDescription(found.Description).mark, args.mark)) continue;
    await deleteVersion(session, version);
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
    `${session.target.function}:${session.target.alias} is being changed by somebody else all the time; it could not be restored`,
  );
}
