import { SluiceError } from '../../../src/model/errors.js';
import { targetName } from '../../../src/model/target.js';
import type { Session } from './client.js';
import { readState } from './read.js';
import { type Slot, slotsOf } from './state.js';

/** Longest that the place of a release is remembered, in ms: a swap changes it, and a probe asks 20 times a second. */
const REMEMBERED = 5_000;

/** Where a release runs. A swap moves it, so that whoever moves traffic forgets. */
export class Places {
  private readonly known = new Map<string, { slots: Slot[]; at: number }>();

  /** Errors: SLUICE_NOT_FOUND when neither production nor the slot runs the release. */
  async of(session: Session, release: string): Promise<Slot> {
    const found = (await this.slots(session)).find((slot) => slot.release === release);
    if (found !== undefined) return found;
    this.forget(session);
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
    if (known !== undefined && Date.now() - known.at < REMEMBERED) return known.slots;
    const state = await readState(session);
    const slots = state === null ? [] : slotsOf(state);
    this.known.set(key, { slots, at: Date.now() });
    return slots;
  }
}

function keyOf({ target }: Session): string {
  return `${target.account}/${target.resourceGroup}/${target.site}/${target.slot ?? ''}`;
}
