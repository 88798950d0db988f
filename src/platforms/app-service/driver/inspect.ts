/** Reads a target before a rollout: what is there, and what would stop it. */
import type { AppServicePlan } from '@azure/arm-appservice';
import { SluiceError } from '../../../model/errors.js';
import { mark } from '../../../model/ids.js';
import type { Release, Spec } from '../../../model/spec.js';
import { targetName } from '../../../model/target.js';
import type { Artifacts } from '../../../store/index.js';
import type { BeforeState, Finding, Traffic } from '../../port.js';
import { sameTarget } from '../../shared/description.js';
import { hasCode } from '../../shared/failures.js';
import { refuse } from '../../shared/findings.js';
import { NO_TARGET, say } from '../../shared/splits.js';
import {
  checkFunctions,
  checkNames,
  checkPackage,
  checkPlan,
  checkProbes,
  checkSettings,
  checkSlots,
  checkStacks,
} from './checks.js';
import { all, asked, call, type Session } from './client.js';
import { environmentsOf } from './environments.js';
import { checkDifferences, checkSecrets, checkSignIn } from './further-checks.js';
import { instancesOf } from './kudu.js';
import type { Observed } from './observed.js';
import { findKept } from './packages.js';
import { readState } from './read.js';
import { readSettings, stickyNames } from './settings.js';
import { revisionOf, type Slot, type State, slotsOf, splitOf } from './state.js';
import { checkPackagedJobs, checkWebJobs, listWebJobs } from './web-jobs.js';

/** Reads the target and what would stop a rollout. Writes nothing. */
export async function inspect(
  session: Session,
  artifacts: Artifacts,
  spec: Spec,
): Promise<{ before: BeforeState; findings: Finding[] }> {
  const state = await readState(session);
  if (state === null) {
    const { site, resourceGroup, account } = session.target;
    const missing = `site ${site} does not exist in resource group ${resourceGroup} of subscription ${account}; create it first, Sluice creates no sites`;
    return { before: NO_TARGET, findings: [refuse('SLUICE_NOT_FOUND', missing)] };
  }
  refuseBusy(session, state);
  const before = await beforeOf(session, state);
  // An undo returns to what worked, and users wait for it.
  if (spec.strategy.type === 'undo') {
    const undone = [...checkOwner(session, spec, state), ...(await checkRelease(session, spec, state))];
    return { before, findings: undone };
  }
  const seen = await look(session, state);
  const findings = [
    ...checkPackage(spec),
    ...checkOwner(session, spec, state),
    ...checkPlan(session.target, spec, seen),
    ...checkSlots(session.target, spec, seen),
    ...checkStacks(seen),
    ...checkFunctions(spec, seen),
    ...checkWebJobs(session.target, seen),
    ...checkNames(spec, seen),
    ...checkSettings(spec, seen),
    ...checkProbes(session.target, spec),
    ...(await checkRelease(session, spec, state)),
  ];
  // Further checks cost calls; they cannot save a rollout that is refused already.
  if (findings.some(({ level }) => level === 'refuse')) return { before, findings };
  findings.push(...(await checkPackagedJobs(session, artifacts, spec, seen)));
  findings.push(...(await checkSecrets(session, state)));
  findings.push(...(await checkSignIn(session, spec, state)));
  findings.push(...(await checkDifferences(session, state, seen)));
  return { before, findings };
}

/**
 * The target's traffic alone. Writes nothing. A production without a release has a revision too, so that a person can take it as it
 * is and the rollout goes on from there.
 */
export async function readTraffic(session: Session): Promise<Traffic> {
  const state = await readState(session);
  if (state === null) return NO_TARGET;
  refuseBusy(session, state);
  return { ...trafficOf(state), revision: revisionOf(state) };
}

/** While an operation runs, what is there is on its way to something else. */
function refuseBusy(session: Session, { operation }: State): void {
  if (operation === null) return;
  throw new SluiceError('SLUICE_BUSY', `an operation runs on ${targetName(session.target)} (${operation})`);
}

function trafficOf(state: State): Traffic {
  const revision = state.production.release === null ? null : revisionOf(state);
  return { split: splitOf(state), revision, mark: state.mark };
}

async function beforeOf(session: Session, state: State): Promise<BeforeState> {
  const { production, slot, text } = state;
  return {
    ...trafficOf(state),
    release: production.release === null ? null : await recordOf(session, state, production.release),
    description: text,
    environments: environmentsOf(production, slot),
    capacity: production.release === null ? 0 : await instancesOf(session, production),
  };
}

async function recordOf(session: Session, state: State, version: string): Promise<Release> {
  const kept = await findKept(session, slotsOf(state), version);
  return { version, digest: kept?.digest ?? '' };
}

async function look(session: Session, state: State): Promise<Observed> {
  const { resourceGroup, site } = session.target;
  const slot = state.slot?.slot ?? null;
  const isFunctionApp = state.production.arm.kind?.includes('functionapp') === true;
  const [plan, production, staging, sticky, slotConfig, functions, webJobs] = await Promise.all([
    planOf(session, state),
    readSettings(session, null),
    slot === null ? {} : readSettings(session, slot),
    stickyNames(session),
    slot === null
      ? null
      : call(session, 'GetConfigurationSlot', (webApps, options) =>
          webApps.getConfigurationSlot(resourceGroup, site, slot, options),
        ),
    isFunctionApp
      ? call(session, 'ListFunctions', (webApps, options) => all(webApps.listFunctions(resourceGroup, site, options)))
      : [],
    slot === null || isFunctionApp ? [] : listWebJobs(session, slot),
  ]);
  return { state, plan, settings: { production, slot: staging }, sticky, slotConfig, functions, webJobs };
}

/** The plan may be in another resource group, which the worker may not read. */
async function planOf(session: Session, { production }: State): Promise<AppServicePlan | null> {
  const [, group, name] =
    /resourceGroups\/([^/]+)\/.*serverfarms\/([^/]+)/i.exec(production.arm.serverFarmId ?? '') ?? [];
  if (group === undefined || name === undefined) return null;
  try {
    const answered = await session.budget.acquire(session.ctx.urgent, session.ctx.signal);
    const options = { abortSignal: session.ctx.signal };
    const get = () => session.clients.arm.appServicePlans.get(group, name, options);
    return await asked(session, 'GetPlan', get).finally(answered);
  } catch (error) {
    if (hasCode(error, 'SLUICE_PERMISSION', 'SLUICE_NOT_FOUND')) return null;
    throw error;
  }
}

/** Whose the site is, and whether its traffic may be moved. Pure. */
function checkOwner(session: Session, spec: Spec, state: State): Finding[] {
  const name = targetName(session.target);
  const { site, resourceGroup } = session.target;
  const found: Finding[] = [];
  if (state.mark !== null && !sameTarget(state.mark, mark(spec.app, spec.environment, 'any', 'any'))) {
    found.push(
      refuse(
        'SLUICE_OWNED',
        `${name} belongs to another rollout target (its tag sluice says ${state.mark}); use that app and environment, or remove the mark from the tag`,
      ),
    );
  }
  if (splitOf(state).candidate !== null) {
    found.push(
      refuse(
        'SLUICE_ALIAS_SPLIT',
        `${name} is split already: ${say(splitOf(state))}, by ${state.mark ?? 'someone other than Sluice'}. End the split with \`az webapp traffic-routing clear --name ${site} --resource-group ${resourceGroup}\`, or find what left it with \`sluice sweep\``,
      ),
    );
  }
  return found;
}

/** The release that must be there already: by its id, or the live one. Null: the spec brings its code. */
function namedIn(release: Spec['release'], production: Slot): string | null {
  if ('version' in release) return String(release.version);
  return 'current' in release ? production.release : null;
}

/** Whether the release exists that the spec takes for there. */
async function checkRelease(session: Session, spec: Spec, state: State): Promise<Finding[]> {
  const { production } = state;
  if ('current' in spec.release && production.release === null) {
    return [
      refuse(
        'SLUICE_TARGET',
        `nothing is deployed to ${production.name}, so no code is live that release.current could release; release a folder or zip`,
      ),
    ];
  }
  const release = namedIn(spec.release, production);
  if (release === null) return [];
  const slots = slotsOf(state);
  if ('current' in spec.release) {
    if ((await findKept(session, slots, release)) !== null) return [];
    return [
      refuse(
        'SLUICE_NOT_FOUND',
        `the package of the live release ${release} of ${production.name} is not kept, so release.current cannot release it with other settings; release its code with them (release.folder or release.zip)`,
      ),
    ];
  }
  if (slots.some((slot) => slot.release === release)) return [];
  const kept = await findKept(session, slots, release);
  if (kept !== null) return [];
  return [
    refuse(
      'SLUICE_NOT_FOUND',
      `release ${release} is kept neither by ${state.production.name} nor by its slot; release its code again (release.folder or release.zip)`,
    ),
  ];
}
