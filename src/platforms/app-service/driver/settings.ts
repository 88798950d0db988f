/** App settings: read, merged and written whole, since a write replaces them all. Their values never leave an activity. */
import type { SiteConfiguration } from '../../../model/spec.js';
import { formsOf, withoutForms } from '../../../secrets/scrub.js';
import { OWN_SETTINGS } from '../settings.js';
import { call, type Session } from './client.js';
import type { Side } from './environments.js';

export type Settings = Record<string, string>;

/** The release that these settings belong to; it travels with them. */
export const RELEASE = 'SLUICE_RELEASE';
/** The environment of blue-green; it travels too. */
export const ENVIRONMENT = 'SLUICE_ENVIRONMENT';
/** Names of the settings that came with the release, so that the next one takes them away again. */
const OURS = 'SLUICE_SETTINGS';
const PING_PATH = 'WEBSITE_SWAP_WARMUP_PING_PATH';
const PING_STATUSES = 'WEBSITE_SWAP_WARMUP_PING_STATUSES';

export async function readSettings(session: Session, slot: string | null): Promise<Settings> {
  const { resourceGroup, site } = session.target;
  const { properties } = await call(session, 'ListApplicationSettings', (webApps, options) =>
    slot === null
      ? webApps.listApplicationSettings(resourceGroup, site, options)
      : webApps.listApplicationSettingsSlot(resourceGroup, site, slot, options),
  );
  return { ...properties };
}

/** Values of production and of the slot: a release moves between them, and one that was rolled back has left both. */
export async function settingValues(session: Session): Promise<string[]> {
  const { slot } = session.target;
  const places = slot === undefined ? [null] : [null, slot];
  // A slot may not be there.
  const found = await Promise.allSettled(places.map((place) => readSettings(session, place)));
  return found.flatMap((each) => {
    if (each.status === 'rejected') return [];
    return Object.entries(each.value).flatMap(([name, value]) => (OWN_SETTINGS.has(name) ? [] : [value]));
  });
}

/** Replaces all of them, and restarts the slot. */
export async function writeSettings(session: Session, slot: string | null, properties: Settings): Promise<void> {
  const { resourceGroup, site } = session.target;
  await unquoted(properties, () =>
    call(session, 'UpdateApplicationSettings', (webApps, options) =>
      slot === null
        ? webApps.updateApplicationSettings(resourceGroup, site, { properties }, options)
        : webApps.updateApplicationSettingsSlot(resourceGroup, site, slot, { properties }, options),
    ),
  );
}

/**
 * Runs a write of settings; a refusal that quotes what was sent does so without their values. Among them are secrets that this
 * activity has not read: those of a kept release, and those that the site's owner has set.
 */
export async function unquoted<T>(settings: Settings, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof Error) {
      const others = Object.entries(settings).filter(([name]) => !OWN_SETTINGS.has(name));
      const forms = others.flatMap(([, value]) => formsOf(value));
      error.message = withoutForms(error.message, forms);
    }
    throw error;
  }
}

/** Names of settings that stay with their slot in a swap: one list for the whole site. */
export async function stickyNames(session: Session): Promise<string[]> {
  const { resourceGroup, site } = session.target;
  const { appSettingNames } = await call(session, 'ListSlotConfigurationNames', (webApps, options) =>
    webApps.listSlotConfigurationNames(resourceGroup, site, options),
  );
  return appSettingNames ?? [];
}

/** What a release brings along. */
export interface Brought {
  release: string;
  settings: Settings;
  /** Null: no environment of blue-green. */
  side: Side | null;
  warmUp?: SiteConfiguration['warmUp'];
}

/** The slot's settings with a release's in the place of the one before. Pure. */
export function withRelease(now: Settings, { release, settings, side, warmUp }: Brought): Settings {
  return {
    ...withoutRelease(now),
    ...settings,
    [RELEASE]: release,
    [OURS]: Object.keys(settings).sort().join(','),
    ...(side === null ? {} : { [ENVIRONMENT]: side }),
    ...(warmUp === undefined ? {} : { [PING_PATH]: warmUp.path, [PING_STATUSES]: warmUp.statuses.join(',') }),
  };
}

/** The same settings without a release of Sluice. Pure. */
export function withoutRelease(now: Settings): Settings {
  const before = new Set(namesIn(now));
  return Object.fromEntries(Object.entries(now).filter(([name]) => !before.has(name) && !OWN_SETTINGS.has(name)));
}

export function sameSettings(a: Settings, b: Settings): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** Names of settings that a swap would change under production, beside those of the release. Pure. */
export function differing(production: Settings, slot: Settings, sticky: string[]): string[] {
  const skipped = new Set([...sticky, ...OWN_SETTINGS, ...namesIn(production), ...namesIn(slot)]);
  return [...new Set([...Object.keys(production), ...Object.keys(slot)])]
    .filter((name) => !skipped.has(name) && production[name] !== slot[name])
    .sort();
}

function namesIn(settings: Settings): string[] {
  return (settings[OURS] ?? '').split(',').filter((name) => name !== '');
}
