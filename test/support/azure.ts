/** What tests do to the emulated Azure behind the driver's back. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { unpack, writeDurably } from '../../emulators/azure/files.js';
import type { EmulatedAzure, Site, Slot } from '../../emulators/azure/index.js';
import { DEPLOY } from '../../emulators/azure/model.js';
import { wwwroot } from '../../emulators/azure/runtime.js';
import { azureClients } from '../../src/platforms/app-service/driver/index.js';
import { until } from './until.js';

/** The driver's clients, as a worker makes them; only endpoint, authority and certificate authority differ. */
export function clientsOf({ env, subscription, ca }: EmulatedAzure): ReturnType<typeof azureClients> {
  return azureClients({ subscription, region: 'westeurope', env, ca });
}

/** A release that was deployed to the slot before. `at` orders it among the others. */
export async function seed(azure: EmulatedAzure, slot: Slot, release: string, zip: Buffer, at: Date): Promise<void> {
  const home = azure.azure.store.home(slot.content);
  const deployment = `deployment-of-${release}`;
  rmSync(wwwroot(home), { recursive: true, force: true });
  await unpack(zip, wwwroot(home));
  const digest = createHash('sha256').update(zip).digest('hex');
  const files: Record<string, string | Buffer> = {
    [`${release}.zip`]: zip,
    [`${release}.json`]: JSON.stringify({ release, digest, settings: {} }),
    'running.json': JSON.stringify({ release, deployment }),
  };
  for (const [name, body] of Object.entries(files)) {
    const file = path.join(home, 'data', 'sluice', name);
    writeDurably(file, body);
    utimesSync(file, at, at);
  }
  slot.settings = { ...slot.settings, SLUICE_RELEASE: release, SLUICE_SETTINGS: '' };
  const time = at.toISOString();
  slot.content.deployments = [
    { id: deployment, status: DEPLOY.success, text: '', received: time, ended: time, runtime: 'RuntimeSuccessful' },
  ];
  azure.azure.store.save();
}

/** Releases kept on the volumes of a site, oldest first. */
export function keptIn(azure: EmulatedAzure, site: Site): { release: string; digest: string }[] {
  return [site.production, ...site.slots]
    .flatMap((slot) => {
      const folder = path.join(azure.azure.store.home(slot.content), 'data', 'sluice');
      return (existsSync(folder) ? readdirSync(folder) : []).map((name) => path.join(folder, name));
    })
    .filter((file) => /\/r-[0-9a-f]+\.json$/.test(file))
    .sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs)
    .map((file) => JSON.parse(readFileSync(file, 'utf8')) as { release: string; digest: string });
}

export function stagingOf({ slots: [slot] }: Site): Slot {
  if (slot === undefined) throw new Error('the site has lost its slot');
  return slot;
}

/** Somebody else swaps the slot into production. */
export async function swapOutside(azure: EmulatedAzure, site: Site, slot: Slot): Promise<void> {
  azure.azure.startSwap(site, slot);
  await until('the swap', () => site.operation === null);
}

/** Ends the processes of a site that no test asks any more. */
export async function unload(azure: EmulatedAzure, site: Site): Promise<void> {
  await Promise.all([site.production, ...site.slots].map(({ content }) => azure.azure.runtime.unload(content.id)));
}
