/** The slot gets as many instances as production before it gets traffic. */
import { SluiceError } from '../../../model/errors.js';
import { nextDelay, pause } from '../../shared/waiting.js';
import { call, type Session } from './client.js';
import { instancesOf } from './kudu.js';
import type { Slot } from './state.js';

/** Longest wait for instances, in ms: what a plan takes to start workers it has. */
const LONGEST = 90_000;

/**
 * The slot has as many instances as production before it gets its traffic. All applications of a plan are on all its
 * workers, unless it scales each by itself (`perSiteScaling`): then the slot's own number is raised. Errors: SLUICE_BUSY
 * when they are not there in time.
 */
export async function instancesMatch(session: Session, production: Slot, slot: Slot): Promise<void> {
  const wanted = await instancesOf(session, production);
  const end = Date.now() + LONGEST;
  let asked = false;
  for (let delay: number | null = null; ; ) {
    const has = await instancesOf(session, slot);
    if (has >= wanted) return;
    if (!asked) await askFor(session, slot, wanted);
    asked = true;
    if (Date.now() > end) {
      throw new SluiceError(
        'SLUICE_BUSY',
        `${slot.name} has ${has} instances and production ${wanted}; traffic waits for them`,
      );
    }
    delay = nextDelay(delay);
    await pause(session.ctx, delay);
  }
}

async function askFor(session: Session, { slot }: Slot, numberOfWorkers: number): Promise<void> {
  const { resourceGroup, site } = session.target;
  if (slot === null) return;
  await call(session, 'UpdateConfigurationSlot', (webApps, options) =>
    webApps.updateConfigurationSlot(resourceGroup, site, slot, { numberOfWorkers }, options),
  );
}
