/**
 * Continuous WebJobs run in every slot that holds them, with that slot's settings: beside production on production's own queues.
 * WEBJOBS_STOPPED=1 stops a slot's jobs. As a slot setting it stays with the slot, so that production's jobs go on after a swap.
 */
import type { AppServiceTarget, Spec } from '../../../model/spec.js';
import type { Artifacts } from '../../../store/index.js';
import type { Finding } from '../../port.js';
import { hasCode } from '../../shared/failures.js';
import { refuse } from '../../shared/findings.js';
import { all, call, type Session } from './client.js';
import type { Observed } from './observed.js';
import { packageOf } from './release.js';
import type { Settings } from './settings.js';
import { slotsOf } from './state.js';
import { namesInZip } from './zip-names.js';

const STOPPED = 'WEBJOBS_STOPPED';

/** Where a package has them; Windows does not tell cases apart. */
const IN_PACKAGE = /^\/?app_data\/jobs\/continuous\/([^/]+)\/./i;

/** Names of the continuous WebJobs that production and its slot hold now. */
export async function listWebJobs(session: Session, slot: string): Promise<string[]> {
  const { resourceGroup, site } = session.target;
  try {
    const [production, staging] = await Promise.all([
      call(session, 'ListContinuousWebJobs', (webApps, options) =>
        all(webApps.listContinuousWebJobs(resourceGroup, site, options)),
      ),
      call(session, 'ListContinuousWebJobsSlot', (webApps, options) =>
        all(webApps.listContinuousWebJobsSlot(resourceGroup, site, slot, options)),
      ),
    ]);
    return [...production, ...staging].map(({ name = '' }) => name.split('/').at(-1) ?? name);
  } catch (error) {
    // A site that cannot have any has no such list.
    if (hasCode(error, 'SLUICE_NOT_FOUND')) return [];
    throw error;
  }
}

/** Jobs in either slot: those of the live release move into the slot with the swap. Pure. */
export function checkWebJobs(target: AppServiceTarget, { state, webJobs, settings, sticky }: Observed): Finding[] {
  if (state.slot === null || areStopped(settings.slot, sticky)) return [];
  return refused(target, webJobs);
}

/** Jobs that the release brings: before its deployment they are in neither slot. Reads the package if nothing stops them. */
export async function checkPackagedJobs(
  session: Session,
  artifacts: Artifacts,
  spec: Spec,
  { state, settings, sticky }: Observed,
): Promise<Finding[]> {
  if (state.slot === null || areStopped(settings.slot, sticky)) return [];
  // What runs already has its jobs in the list.
  if ('current' in spec.release) return [];
  const version = 'version' in spec.release ? String(spec.release.version) : null;
  if (version !== null && slotsOf(state).some(({ release }) => release === version)) return [];
  const { zip } = await packageOf(session, { spec, stable: null, identity: {} }, state, artifacts);
  return refused(session.target, webJobsIn(await namesInZip(await zip())));
}

/** Pure. */
export function webJobsIn(names: readonly string[]): string[] {
  return names.flatMap((name) => IN_PACKAGE.exec(name.replaceAll('\\', '/'))?.[1] ?? []);
}

function areStopped(slot: Settings, sticky: string[]): boolean {
  return sticky.includes(STOPPED) && slot[STOPPED] === '1';
}

function refused({ site, resourceGroup, slot }: AppServiceTarget, jobs: readonly string[]): Finding[] {
  const names = [...new Set(jobs)].sort();
  if (names.length === 0) return [];
  const [runs, them] = names.length === 1 ? ['WebJob', 'it'] : ['WebJobs', 'them'];
  return [
    refuse(
      'SLUICE_TARGET',
      `continuous ${runs} ${names.join(', ')} would run in ${site}/${slot} too, and take production's work at 0 % of the traffic. Stop ${them} there, by a slot setting: \`az webapp config appsettings set --name ${site} --resource-group ${resourceGroup} --slot ${slot} --slot-settings ${STOPPED}=1\``,
    ),
  ];
}
