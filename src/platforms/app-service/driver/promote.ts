/** Gives all users the candidate: by a swap, or by publishing to production. */
import { SluiceError } from '../../../model/errors.js';
import type { Spec } from '../../../model/spec.js';
import { targetName } from '../../../model/target.js';
import { reachOf } from '../../../strategies/registry.js';
import type { Fence, Written } from '../../port.js';
import { sameSplit, whole } from '../../shared/splits.js';
import { instancesMatch } from './capacity.js';
import { call, type Session } from './client.js';
import { waitServing } from './hosts.js';
import { keepRunning, publish } from './publish.js';
import { readSite, readState } from './read.js';
import { keptPackage } from './release.js';
import { setRules } from './rules.js';
import {
  foreignChange,
  restoredBy,
  revisionOf,
  type Slot,
  type State,
  sameGeneration,
  splitOf,
  writtenOf,
} from './state.js';
import { idle, swapIn } from './swap.js';
import { announce, GENERATION_TAG } from './tags.js';

/** Longest time to undo a write that came too late, in ms: a swap with its warm-up takes minutes. */
const LATE = 15 * 60_000;

/**
 * Makes the candidate the stable release: published to production (direct), or swapped in from the slot (all others), with
 * the routing rules gone first, since they would lead to the old release afterwards. Errors: SLUICE_FOREIGN_CHANGE,
 * SLUICE_NOT_FOUND when nothing holds the candidate, SLUICE_PROBE when it does not serve.
 */
export async function promote(
  session: Session,
  { spec, candidate, fence }: { spec: Spec; candidate: string; fence: Fence },
): Promise<Written> {
  const now = await readState(session);
  if (isDone(now, candidate, fence)) return writtenOf(now);
  const state = await announced(session, now, candidate, fence);
  const late = () => takeBackLate(session, spec, state, { candidate, mark: fence.mark });
  try {
    if (reachOf(spec) === 'atOnce' || state.slot === null) await publishLive(session, spec, state, candidate);
    else await swapLive(session, spec, state, { candidate, mark: fence.mark });
  } catch (error) {
    await late().catch(() => undefined);
    throw error;
  }
  await late();
  const after = await readState(session);
  if (isDone(after, candidate, fence) && after.generation === state.generation) return writtenOf(after);
  throw foreignChange(targetName(session.target), after, fence.revision, whole(candidate));
}

/**
 * A write that lands after this rollout has rolled back, because its worker froze on the way, would leave the candidate with
 * all users and nothing watching. The restored release comes back, even if nothing waits for this call any more.
 */
async function takeBackLate(
  session: Session,
  spec: Spec,
  before: State,
  { candidate, mark }: { candidate: string; mark: string },
): Promise<void> {
  const stable = before.production.release;
  if (stable === candidate || stable === null) return;
  const own: Session = { ...session, ctx: { ...session.ctx, signal: AbortSignal.timeout(LATE) } };
  const site = await readSite(own, null);
  if (!restoredBy({ generation: site?.tags?.[GENERATION_TAG] ?? '' }, mark)) return;
  const now = await idle(own);
  if (now.production.release !== candidate) return;
  if (now.slot?.release === stable) await swapIn(own, { release: stable, mark, verify: null });
  else await publishLive(own, spec, now, stable);
}

function isDone(now: State | null, candidate: string, { mark }: Fence): now is State {
  return now !== null && now.mark === mark && now.operation === null && sameSplit(splitOf(now), whole(candidate));
}

/** The target with the fence's mark on it: unchanged since its revision, or with a part of this write done already. */
async function announced(session: Session, now: State | null, candidate: string, fence: Fence): Promise<State> {
  const name = targetName(session.target);
  if (now === null || !isFree(now, fence)) throw foreignChange(name, now, fence.revision, whole(candidate));
  if (now.mark === fence.mark) return now;
  await announce(session, { text: now.text, mark: fence.mark });
  const again = await readState(session);
  if (again?.mark === fence.mark && again.generation === now.generation && sameSplit(splitOf(again), splitOf(now))) {
    return again;
  }
  throw foreignChange(name, again, fence.revision, whole(candidate));
}

function isFree(now: State, { revision, mark }: Fence): boolean {
  if (revision === null) {
    return !restoredBy(now, mark) && (now.mark === mark || now.production.release === null);
  }
  return revisionOf(now) === revision || (now.mark === mark && sameGeneration(now, revision));
}

async function publishLive(session: Session, spec: Spec, state: State, candidate: string): Promise<void> {
  const { production } = state;
  const release = await keptPackage(session, state, candidate);
  await keepRunning(session, production, Object.keys(release.settings));
  await publish(session, production, release, { side: production.side, configuration: spec.configuration });
}

async function swapLive(
  session: Session,
  spec: Spec,
  { production, slot, rules }: State,
  { candidate, mark }: { candidate: string; mark: string },
): Promise<void> {
  if (slot === null) throw new SluiceError('SLUICE_TARGET', `${production.name} has no slot: set target.slot`);
  if (production.release !== candidate && slot.release === candidate) await instancesMatch(session, production, slot);
  if (rules.length > 0) await setRules(session, []);
  const signsIn = (await authenticates(session, null)) || (await authenticates(session, slot.slot));
  const verify = (place: Slot) => waitServing(session, place, candidate, spec.configuration);
  await swapIn(session, { release: candidate, mark, verify: signsIn ? null : verify });
  await waitServing(session, production, candidate, spec.configuration);
}

/** Whether the platform signs users in: then a swap with preview is not possible ("Set up staging environments"). */
export async function authenticates(session: Session, slot: string | null): Promise<boolean> {
  const { resourceGroup, site } = session.target;
  const { platform } = await call(session, 'GetAuthSettingsV2WithoutSecrets', (webApps, options) =>
    slot === null
      ? webApps.getAuthSettingsV2WithoutSecrets(resourceGroup, site, options)
      : webApps.getAuthSettingsV2WithoutSecretsSlot(resourceGroup, site, slot, options),
  );
  return platform?.enabled === true;
}
