/** Publishes a package to a slot. */
import type { SiteConfiguration } from '../../../model/spec.js';
import { sha256 } from '../../../store/index.js';
import { call, type Session } from './client.js';
import type { Side } from './environments.js';
import { waitServing } from './hosts.js';
import { publishZip, zipOfFiles } from './kudu.js';
import { findKept, keep, type ReleaseRecord, writeRunning } from './packages.js';
import type { Package } from './release.js';
import { type Brought, readSettings, sameSettings, withRelease, writeSettings } from './settings.js';
import type { Slot } from './state.js';

interface PublishArgs {
  side: Side | null;
  configuration: SiteConfiguration;
}

/**
 * Makes a slot, or production, run a release: keeps its package there, writes its settings and its files, then checks what
 * answers. Each part may be repeated after a lost answer; until the last one the slot claims no release.
 */
export async function publish(
  session: Session,
  to: Slot,
  release: Package,
  { side, configuration }: PublishArgs,
): Promise<void> {
  await started(session, to);
  const same = await bring(session, to.slot, { ...release, side, warmUp: configuration.warmUp });
  if (!same || to.release !== release.release) {
    const zip = await release.zip();
    await keep(session, to, recordOf(release), zip);
    const deployment = await publishZip(session, to, zip);
    await writeRunning(session, to, { release: release.release, deployment });
  }
  await waitServing(session, to, release.release, configuration);
}

/** Keeps a release at production without running it: where there is no slot to run it in. */
export async function store(session: Session, at: Slot, release: Package): Promise<void> {
  if ((await findKept(session, [at], release.release)) !== null) return;
  await keep(session, at, recordOf(release), await release.zip());
}

/**
 * Keeps what runs in production before something is published over it, so that a rollback is possible. Content that someone
 * else deployed is copied from the served files; of its settings, only those about to be replaced.
 */
export async function keepRunning(session: Session, production: Slot, replaced: string[]): Promise<void> {
  const { release } = production;
  if (release === null || (await findKept(session, [production], release)) !== null) return;
  const zip = await zipOfFiles(session, production);
  const now = await readSettings(session, null);
  const settings = Object.fromEntries(replaced.flatMap((name) => (name in now ? [[name, now[name] ?? '']] : [])));
  await keep(session, production, { release, digest: sha256(zip), settings }, zip);
}

/** Whether the settings were as the release brings them. */
async function bring(session: Session, slot: string | null, brought: Brought): Promise<boolean> {
  const now = await readSettings(session, slot);
  const wanted = withRelease(now, brought);
  if (sameSettings(now, wanted)) return true;
  await writeSettings(session, slot, wanted);
  return false;
}

async function started(session: Session, { slot, running }: Slot): Promise<void> {
  if (running || slot === null) return;
  const { resourceGroup, site } = session.target;
  await call(session, 'StartSlot', (webApps, options) => webApps.startSlot(resourceGroup, site, slot, options));
}

function recordOf({ release, digest, settings }: ReleaseRecord): ReleaseRecord {
  return { release, digest, settings };
}
