/**
 * The swap of the slot with production. It is its own inverse, so it is never sent on a guess: one attempt a call, its
 * operation kept in the heartbeat, and after a lost answer, a death or a refusal the releases in both slots decide.
 */
import { restorePoller, type WebSiteManagementClient } from '@azure/arm-appservice';
import { SluiceError } from '../../../model/errors.js';
import { targetName } from '../../../model/target.js';
import { hasCode } from '../../shared/failures.js';
import { ForeignChange } from '../../shared/foreign.js';
import { NO_SPLIT } from '../../shared/splits.js';
import { nextDelay, pause } from '../../shared/waiting.js';
import { asked, call, LOOK_EVERY, type Session } from './client.js';
import { isInProgress, isPrepared } from './errors.js';
import { readSite, readState } from './read.js';
import { type Slot, type State, slotWith } from './state.js';

/** How often to check a swap that others, or an earlier attempt, block. */
const ROUNDS = 20;
const PRODUCTION = { targetSlot: 'production', preserveVnet: true };

type Poller = ReturnType<WebSiteManagementClient['webApps']['swapSlot']>;

/** What the next attempt needs to follow a swap that this one has sent. */
interface Followed {
  mark: string;
  poller: string;
}

export interface SwapArgs {
  /** The release that production shall have; null: the slot's emptiness. */
  release: string | null;
  /** Of the write that the swap belongs to. */
  mark: string;
  /** The look at the slot between the phases, when it runs with production's settings; null: a swap in one go. */
  verify: ((slot: Slot) => Promise<void>) | null;
}

/** Production runs the release afterwards. Errors: the platform's, with its own text; what `verify` says. */
export async function swapIn(session: Session, { release, mark, verify }: SwapArgs): Promise<void> {
  await followed(session, mark);
  for (let round = 0; round < ROUNDS; round += 1) {
    const now = await idle(session);
    if (now.production.release === release) return;
    if (release !== null) slotWith(session, now, release);
    try {
      if (verify !== null) await preview(session, now, verify);
      await send(session, mark);
      return;
    } catch (error) {
      if (isPrepared(error)) await resetPreview(session);
      else if (isInProgress(error)) await pause(session.ctx, nextDelay(null));
      else throw error;
    }
  }
  throw new SluiceError('SLUICE_BUSY', `${targetName(session.target)} keeps being changed; it could not be swapped`);
}

/** The target when no operation runs on it. Errors: SLUICE_BUSY when `longest` ms were not enough. */
export async function idle(session: Session, longest = Number.POSITIVE_INFINITY): Promise<State> {
  const end = Date.now() + longest;
  for (let delay: number | null = null; ; ) {
    const production = await readSite(session, null);
    const slot = session.target.slot === undefined ? null : await readSite(session, session.target.slot);
    const operation = production?.inProgressOperationId ?? slot?.inProgressOperationId;
    if (!operation) break;
    if (Date.now() > end) {
      throw new SluiceError(
        'SLUICE_BUSY',
        `${targetName(session.target)}: an operation on it does not end (${operation})`,
      );
    }
    delay = nextDelay(delay);
    await pause(session.ctx, delay);
  }
  const state = await readState(session);
  if (state !== null) return state;
  throw new ForeignChange(`${targetName(session.target)} does not exist (any more)`, NO_SPLIT);
}

/** Ends a swap that is half done: on both slots, since which of them is enough is not documented. */
export async function resetPreview(session: Session): Promise<void> {
  const { resourceGroup, site, slot } = session.target;
  if (slot === undefined) return;
  await call(session, 'ResetSlotConfigurationSlot', (webApps, options) =>
    webApps.resetSlotConfigurationSlot(resourceGroup, site, slot, options),
  );
  await call(session, 'ResetProductionSlotConfig', (webApps, options) =>
    webApps.resetProductionSlotConfig(resourceGroup, site, options),
  );
}

/** Follows the swap that an attempt before this one has sent. What became of it is read from the slots afterwards. */
async function followed(session: Session, mark: string): Promise<void> {
  const left = session.ctx.lastHeartbeat() as { swap?: Followed } | undefined;
  if (left?.swap?.mark !== mark) return;
  const { arm } = session.clients;
  const { poller } = left.swap;
  try {
    const options = { updateIntervalInMs: LOOK_EVERY };
    await asked(session, 'SwapSlot', () => done(session, restorePoller(arm, poller, arm.webApps.swapSlot, options)));
  } catch (error) {
    // The operation's result is gone: the slots say what happened.
    if (!hasCode(error, 'SLUICE_NOT_FOUND')) await failed(session, error);
  }
}

/** A failed swap leaves no half of one behind. */
async function failed(session: Session, error: unknown): Promise<never> {
  if (hasCode(error, 'SLUICE_REFUSED')) await resetPreview(session);
  throw error;
}

async function preview(session: Session, state: State, verify: (slot: Slot) => Promise<void>): Promise<void> {
  const { resourceGroup, site } = session.target;
  const { slot } = state;
  if (slot?.slot == null) return;
  const name = slot.slot;
  if (state.pending === null) {
    await call(session, 'ApplySlotConfigurationSlot', (webApps, options) =>
      webApps.applySlotConfigurationSlot(resourceGroup, site, name, PRODUCTION, options),
    );
  }
  try {
    await verify(slot);
  } catch (error) {
    if (!session.ctx.signal.aborted) await resetPreview(session);
    throw error;
  }
}

/** Sends the swap, once, and waits for its end. */
async function send(session: Session, mark: string): Promise<void> {
  const { resourceGroup, site, slot } = session.target;
  if (slot === undefined) throw new SluiceError('SLUICE_TARGET', `${site} has no slot to swap with: set target.slot`);
  let accepted = false;
  try {
    await call(session, 'SwapSlot', async (webApps, options) => {
      const poller = webApps.swapSlot(resourceGroup, site, slot, PRODUCTION, options);
      await poller.submitted();
      accepted = true;
      const swap: Followed = { mark, poller: await poller.serialize() };
      session.ctx.heartbeat({ swap });
      await done(session, poller);
    });
  } catch (error) {
    if (accepted) await failed(session, error);
    throw error;
  }
}

async function done({ ctx }: Session, poller: Poller): Promise<void> {
  await poller.pollUntilDone({ abortSignal: ctx.signal });
}
