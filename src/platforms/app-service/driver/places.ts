/** In which slot a release runs, remembered until something moves. */
import { SluiceError } from '../../../model/errors.js';
import { targetName } from '../../../model/target.js';
import { hasCode } from '../../shared/failures.js';
import type { Session } from './client.js';
import { readState } from './read.js';
import { type Slot, slotsOf } from './state.js';
import { idle } from './swap.js';

/** Longest that the place of a release is remembered, in ms: a swap changes it, and a probe asks 20 times a second. */
const REMEMBERED = 5_000;

/** Where a release runs. A swap moves it, so that whoever moves traffic forgets. */
export class Places {
  private readonly known = new Map<string, { slots: Slot[]; at: number }>();

  /**
   * While a swap exchanges the slots, a release may be seen at neither: then it is looked for again when nothing is in
   * progress. Errors: SLUICE_NOT_FOUND when neither production nor the slot runs the release.
   */
  async of(session: Session, release: string): Promise<Slot> {
    const isIt = (slot: Slot) => slot.release === release;
    const found = (await this.slots(session)).find(isIt);
    if (found !== undefined) return found;
    this.forget(session);
    const again = (await settled(session)).find(isIt);
    if (again !== undefined) return again;
    throw new SluiceError(
      'SLUICE_NOT_FOUND',
      `release ${release} runs neither in production nor in the slot of ${targetName(session.target)}`,
    );
  }

  forget(session: Session): void {
    this.known.delete(keyOf(session));
  }

  /** Production first: a release that is in both has its users there. */
  private async slots(session: Session): Promise<Slot[]> {
    const key = keyOf(session);
    const known = this.known.get(key);
    const at = Date.now();
    if (known !== undefined && known.at >= session.ctx.since && at - known.at < REMEMBERED) return known.slots;
    const state = await readState(session);
    const slots = state === null ? [] : slotsOf(state);
    // What is read while releases change places is no knowledge.
    if (state?.operation === null) this.known.set(key, { slots, at });
    return slots;
  }
}

/** The slots when nothing is in progress; none when the site is gone. */
async function settled(session: Session): Promise<Slot[]> {
  try {
    return slotsOf(await idle(session, session.waits.operation));
  } catch (error) {
    if (hasCode(error, 'SLUICE_FOREIGN_CHANGE')) return [];
    throw error;
  }
}

function keyOf({ target }: Session): string {
  return `${target.account}/${target.resourceGroup}/${target.site}/${target.slot ?? ''}`;
}
