/** Forgets old packages, and stops the slot where the spec says so. */
import type { Spec } from '../../../model/spec.js';
import { call, type Session } from './client.js';
import { forget, listKept } from './packages.js';
import { readState } from './read.js';
import { type Slot, type State, slotsOf } from './state.js';

interface Retired {
  deleted: string[];
  kept: { version: string; why: string }[];
}

/** Deletes old packages: not the newest `spec.retain`, not those in `keep`, not what runs in production or the slot. */
export async function retire(session: Session, { spec, keep }: { spec: Spec; keep: string[] }): Promise<Retired> {
  const state = await readState(session);
  if (state === null) return { deleted: [], kept: [] };
  const releases = await releasesOf(session, state);
  const deleted: string[] = [];
  const kept: Retired['kept'] = [];
  for (const [age, { release, places }] of releases.entries()) {
    const why = keep.includes(release)
      ? 'a rollback window'
      : runs(state, release)
        ? 'it runs in production or the slot'
        : age < spec.retain
          ? `one of the newest ${spec.retain}`
          : null;
    if (why !== null) kept.push({ version: release, why });
    else {
      for (const place of places) await forget(session, place, release);
      deleted.push(release);
    }
  }
  if (spec.configuration.idle === 'stop') await stopIdle(session, state, keep);
  return { deleted, kept };
}

/** Newest first, with the places that keep each. */
async function releasesOf(session: Session, state: State): Promise<{ release: string; places: Slot[] }[]> {
  const found = new Map<string, { at: string; places: Slot[] }>();
  for (const place of slotsOf(state)) {
    for (const { release, at } of await listKept(session, place)) {
      const known = found.get(release);
      found.set(release, {
        at: known !== undefined && known.at < at ? known.at : at,
        places: [...(known?.places ?? []), place],
      });
    }
  }
  return [...found]
    .sort(([, a], [, b]) => (a.at < b.at ? 1 : -1))
    .map(([release, { places }]) => ({ release, places }));
}

function runs(state: State, release: string): boolean {
  return slotsOf(state).some((slot) => slot.release === release);
}

/** The slot holds the replaced release, and nobody is routed to it. A deployment starts it again. */
async function stopIdle(session: Session, { production, slot, rules }: State, keep: string[]): Promise<void> {
  if (slot?.slot == null || !slot.running || rules.length > 0 || slot.release === production.release) return;
  if (slot.release !== null && keep.includes(slot.release)) return;
  const { resourceGroup, site } = session.target;
  const name = slot.slot;
  await call(session, 'StopSlot', (webApps, options) => webApps.stopSlot(resourceGroup, site, name, options));
}
