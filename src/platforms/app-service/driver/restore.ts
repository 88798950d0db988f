/** Brings a target back to what it was before the rollout, from wherever it is. */
import { SluiceError } from '../../../model/errors.js';
import { targetName } from '../../../model/target.js';
import { reachOf } from '../../../strategies/registry.js';
import type { RestoreArgs, Written } from '../../port.js';
import { NO_SPLIT, sameSplit } from '../../shared/splits.js';
import type { Session } from './client.js';
import { environmentsOf, otherSide } from './environments.js';
import { publishZip } from './kudu.js';
import { writeRunning } from './packages.js';
import { keepRunning, publish } from './publish.js';
import { readState } from './read.js';
import { keptPackage } from './release.js';
import { setRules } from './rules.js';
import { ENVIRONMENT, readSettings, withoutRelease, writeSettings } from './settings.js';
import { foreignChange, isExplained, type State, splitOf, writtenOf } from './state.js';
import { idle, resetPreview, swapIn } from './swap.js';
import { spend } from './tags.js';

/** An archive without entries: its end-of-directory record. */
const EMPTY_ZIP = Buffer.from(`504b0506${'00'.repeat(18)}`, 'hex');

/**
 * Brings the target to `before` from wherever it is: rules to nothing, then production's release, then what is left in the
 * slot. Errors: SLUICE_FOREIGN_CHANGE when neither `before` nor `attempted` explains what is there and `force` is not set.
 */
export async function restore(session: Session, args: RestoreArgs): Promise<Written> {
  const { before, mark } = args;
  const found = await readState(session);
  if (!args.force && !isExplained(found, args)) {
    throw foreignChange(targetName(session.target), found, args.lastRevision ?? before.revision, before.split);
  }
  if (found === null) return { revision: '', split: NO_SPLIT };
  await spend(session, { text: before.description, mark });
  const now = await idle(session, session.waits.operation);
  if (now.pending !== null) await resetPreview(session);
  // Even if there are none: users leave the slot first, and a late write of ours is undone.
  await setRules(session, []);
  if (now.production.release !== before.split.stable) await bringBack(session, args, now);
  const remarks = await besideProduction(session, args, found);
  const after = await readState(session);
  if (after === null || after.mark !== mark || !sameSplit(splitOf(after), before.split)) {
    throw new SluiceError(
      'SLUICE_BUSY',
      `${targetName(session.target)} is being changed by someone else; it has not been restored yet`,
    );
  }
  const written = before.split.stable === null ? { revision: '', split: NO_SPLIT } : writtenOf(after);
  return remarks.length === 0 ? written : { ...written, remarks };
}

/** Swapped back where the slot has the release, else published from its package. */
async function bringBack(session: Session, { spec, before, mark }: RestoreArgs, now: State): Promise<void> {
  const { production, slot } = now;
  const { stable } = before.split;
  if (slot !== null && slot.release === stable) return swapIn(session, { release: stable, mark, verify: null });
  if (stable === null) return empty(session, now);
  const release = await keptPackage(session, now, stable);
  await publish(session, production, release, { side: production.side, configuration: spec.configuration });
}

/** Production had nothing before: no files, and no settings of a release. */
async function empty(session: Session, { production }: State): Promise<void> {
  await writeSettings(session, null, withoutRelease(await readSettings(session, null)));
  const deployment = await publishZip(session, production, EMPTY_ZIP, false);
  await writeRunning(session, production, { release: null, deployment });
}

/** The slot, once production is restored. A failure here is reported, but the target still counts as restored. */
async function besideProduction(session: Session, args: RestoreArgs, found: State): Promise<string[]> {
  const idle = reachOf(args.spec) === 'idle';
  try {
    if (idle) await restoreIdle(session, args);
    else if (hadUsers(args, found)) await rescue(session, args);
    return [];
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    const { slot, site } = session.target;
    return [
      idle
        ? `${site}/${slot} could not be restored to its earlier content: ${error.message}`
        : `users whom the cookie x-ms-routing-name keeps on ${site}/${slot} stay on the candidate for an hour at most: the slot is kept, since stopping it would cause errors for them, and the stable release could not be published there: ${error.message}`,
    ];
  }
}

function hadUsers({ attempted }: RestoreArgs, { rules }: State): boolean {
  return rules.length > 0 || attempted.some(({ split }) => split.weight > 0);
}

/**
 * Users who met the candidate are pinned to the slot by a cookie for an hour, whatever the rules say (azure-docs#58514), so
 * the slot gets the stable release.
 */
async function rescue(session: Session, { spec, before }: RestoreArgs): Promise<void> {
  const { stable } = before.split;
  const now = await readState(session);
  if (now === null || now.slot === null || stable === null || now.slot.release === stable) return;
  await keepRunning(session, now.production, []);
  const release = await keptPackage(session, now, stable);
  await publish(session, now.slot, release, { side: null, configuration: spec.configuration });
}

/** The environment that production is not gets back what it held; the names go where there were none. */
async function restoreIdle(session: Session, { spec, before }: RestoreArgs): Promise<void> {
  const now = await readState(session);
  if (now === null || now.slot === null) return;
  const { slot, production } = now;
  if (before.environments === null) {
    const settings = await readSettings(session, slot.slot);
    if (settings[ENVIRONMENT] === undefined) return;
    delete settings[ENVIRONMENT];
    return writeSettings(session, slot.slot, settings);
  }
  const live = environmentsOf(production, slot)?.live ?? before.environments.live;
  if (live === null) return;
  const side = otherSide(live);
  const held = before.environments[side];
  if (held === null || (slot.release === held && slot.side === side)) return;
  const release = await keptPackage(session, now, held);
  await publish(session, slot, release, { side, configuration: spec.configuration });
}
