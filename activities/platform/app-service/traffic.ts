import { SluiceError } from '../../../src/model/errors.js';
import { targetName } from '../../../src/model/target.js';
import type { Fence, Split, Written } from '../platform.js';
import { sameSplit } from '../splits.js';
import type { Session } from './client.js';
import { readState } from './read.js';
import { ruleFor, setRules } from './rules.js';
import {
  foreignChange,
  revisionOf,
  type Slot,
  type State,
  sameGeneration,
  sameTraffic,
  splitOf,
  writtenOf,
} from './state.js';
import { announce } from './tags.js';
import { instancesMatch } from './warm.js';

interface ShiftArgs {
  stable: string;
  candidate: string;
  weight: number;
  fence: Fence;
}

/**
 * Gives the slot its share of production's clients. Read, compare, announce, read again, write, read back: ARM has no fence
 * for this write, so the moment between the last look and the write stays open; one that finds itself late takes its rule
 * away again. Errors: SLUICE_FOREIGN_CHANGE, SLUICE_NOT_FOUND when the slot does not hold the candidate.
 */
export async function shift(session: Session, { stable, candidate, weight, fence }: ShiftArgs): Promise<Written> {
  const wanted: Split = { stable, candidate, weight };
  const now = await readState(session);
  if (now !== null && now.mark === fence.mark && sameSplit(splitOf(now), wanted)) return writtenOf(now);
  const before = await announced(session, now, fence, wanted);
  const slot = slotWith(session, before, candidate);
  await instancesMatch(session, before.production, slot);
  await setRules(session, [ruleFor(slot, weight)]);
  const after = await readState(session);
  if (after !== null && after.generation !== before.generation) await setRules(session, []);
  else if (after !== null && after.mark === fence.mark && sameSplit(splitOf(after), wanted)) return writtenOf(after);
  throw foreignChange(targetName(session.target), after, fence.revision, wanted);
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
  return (
    revisionOf(now) === revision || (now.mark === mark && sameGeneration(now, revision) && sameTraffic(now, revision))
  );
}

/** Errors: SLUICE_NOT_FOUND, with what the slot holds instead. */
export function slotWith(session: Session, { slot }: State, candidate: string): Slot {
  if (slot?.release === candidate) return slot;
  const holds = slot === null ? 'there is no such slot' : `it holds ${slot.release ?? 'nothing'}`;
  throw new SluiceError(
    'SLUICE_NOT_FOUND',
    `${targetName(session.target)} does not hold ${candidate}: ${holds}. Start a new rollout, which deploys it again`,
  );
}
