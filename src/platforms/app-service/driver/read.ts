/** Reads a target from Azure. */
import type { Site } from '@azure/arm-appservice';
import { readDescription } from '../../shared/description.js';
import { hasCode } from '../../shared/failures.js';
import { call, type Session } from './client.js';
import { latestDeployment } from './kudu.js';
import { readRunning } from './packages.js';
import { ENVIRONMENT, RELEASE, readSettings } from './settings.js';
import { placeOf } from './site.js';
import { releaseOf, type Slot, type State } from './state.js';
import { GENERATION_TAG, MARK_TAG } from './tags.js';

/** Reads the target; null when the site does not exist. */
export async function readState(session: Session): Promise<State | null> {
  const { resourceGroup, site, slot: named } = session.target;
  const production = await readSite(session, null);
  if (production === null) return null;
  const staging = named === undefined ? null : await readSite(session, named);
  const [live, slot, config] = await Promise.all([
    readSlot(session, null, production),
    staging === null || named === undefined ? null : readSlot(session, named, staging),
    call(session, 'GetConfiguration', (webApps, options) => webApps.getConfiguration(resourceGroup, site, options)),
  ]);
  const { text, mark } = readDescription(production.tags?.[MARK_TAG]);
  session.ctx.heed(mark);
  return {
    production: live,
    slot,
    rules: config.experiments?.rampUpRules ?? [],
    config,
    text,
    mark,
    generation: production.tags?.[GENERATION_TAG] ?? '',
    pending: production.targetSwapSlot ?? staging?.targetSwapSlot ?? null,
    operation: production.inProgressOperationId ?? staging?.inProgressOperationId ?? null,
  };
}

/** Production, or a slot, as ARM reports it; null if it does not exist. */
export async function readSite(session: Session, slot: string | null): Promise<Site | null> {
  const { resourceGroup, site } = session.target;
  try {
    return slot === null
      ? await call(session, 'GetSite', (webApps, options) => webApps.get(resourceGroup, site, options))
      : await call(session, 'GetSlot', (webApps, options) => webApps.getSlot(resourceGroup, site, slot, options));
  } catch (error) {
    if (hasCode(error, 'SLUICE_NOT_FOUND')) return null;
    throw error;
  }
}

async function readSlot(session: Session, slot: string | null, arm: Site): Promise<Slot> {
  const place = placeOf(session.target, slot, arm);
  const [settings, deployment, running] = await Promise.all([
    readSettings(session, slot),
    latestDeployment(session, place),
    readRunning(session, place),
  ]);
  const side = settings[ENVIRONMENT];
  return {
    ...place,
    release: releaseOf({ setting: settings[RELEASE], deployment: deployment?.id ?? null, running }),
    side: side === 'blue' || side === 'green' ? side : null,
    deployment: deployment?.id ?? null,
    arm,
  };
}
