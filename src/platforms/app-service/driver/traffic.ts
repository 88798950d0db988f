/** Gives the slot a share of the clients. */
import { SluiceError } from '../../../model/errors.js';
import { targetName } from '../../../model/target.js';
import type { Fence, Split, Written } from '../../port.js';
import { sameSplit } from '../../shared/splits.js';
import { instancesMatch } from './capacity.js';
import type { Session } from './client.js';
import { readState } from './read.js';
import { ruleFor, setRules } from './rules.js';
import {
  foreignChange,
  revisionOf,
  type State,
  sameGeneration,
  sameTraffic,
  slotWith,
  splitOf,
  writtenOf,
} from './state.js';
import { swapIn } from './swap.js';
import { announce } from './tags.js';

interface ShiftArgs {
  stable: string;
  candidate: string;
  weight: number;
  fence: Fence;
}

/**
 * Gives the slot its share of production's clients. Read, compare, announce, read again, write, read back: ARM has no fence
 * for this write, so the moment between the last look and the write stays open; one that finds itself late takes its rule
 * away again. A candidate that is in production already, with stable in the slot, changes places with it first: rules lead
 * from production to the slot, never the other way. Errors: SLUICE_FOREIGN_CHANGE, SLUICE_NOT_FOUND when the two are not
 * there to be split.
 */
export async function shift(session: Session, { stable, candidate, weight, fence }: ShiftArgs): Promise<Written> {
  const wanted: Split = { stable, candidate, weight };
  const now = await readState(session);
  if (now !== null && now.mark === fence.mark && sameSplit(splitOf(now), wanted)) return writtenOf(now);
  const before = await inPlace(session, await announced(session, now, fence, wanted), wanted, fence);
  const slot = slotWith(session, before, candidate);
  await instancesMatch(session, before.production, slot);
  await setRules(session, [ruleFor(slot, weight)]);
  const after = await readState(session);
  if (after !== null && after.generation !== before.generation) await setRules(session, []);
  else if (after !== null && after.mark === fence.mark && sameSplit(splitOf(after), wanted)) return writtenOf(after);
  throw foreignChange(targetName(session.target), after, fence.revision, wanted);
}

/** The target with stable in production: as it is, or after both have changed places. */
async function inPlace(session: Session, state: State, { stable, candidate }: Split, { mark }: Fence): Promise<State> {
  const { production, slot } = state;
  if (production.release === stable) return state;
  if (stable !== null && production.release === candidate && slot?.release === stable) {
    await swapIn(session, { release: stable, mark, verify: null });
    const after = await readState(session);
    if (after?.production.release === stable && after.generation === state.generation) return after;
  }
  throw new SluiceError(
    'SLUICE_NOT_FOUND',
    `${targetName(session.target)} cannot be split between ${stable} and ${candidate}: production runs ${production.release ?? 'nothing'} and the slot ${slot?.release ?? 'nothing'}`,
  );
}

/** The target, unchanged since the fence's revision and with its mark on it. */
async function announced(session: Session, now: State | null, fence: Fence, wanted: Split): Promise<State> {
  const name = targetName(session.target);
  const { revision } = fence;
  if (now === null || revision === null || !isFree(now, fence)) throw foreignChange(name, now, revision, wanted);
  if (now.mark === fence.mark) return now;
  await announce(session, { text: now.text, mark: fence.mark });
  const again = await readState(session);
  if (again === null || again.mark !== fence.mark || !sameTraffic(again, revision)) {
    throw foreignChange(name, again, revision, wanted);
  }
  return again;
}

/** At the revision, or with our own mark on it already and nothing else done. */
function isFree(now: State, { revision, mark }: Fence): boolean {
  if (revision === null) return false;
  if (revisionOf(now) === revision) return true;
  if (now.mark !== mark || !sameGeneration(now, revision)) return false;
  // The releases may have changed places already, and nothing more.
  const swapped = now.slot === null ? null : { ...now, production: now.slot };
  return sameTraffic(now, revision) || (swapped !== null && sameTraffic(swapped, revision));
}
