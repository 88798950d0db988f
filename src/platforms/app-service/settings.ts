/** What Azure App Service allows, as far as the spec alone tells. Pure. */
import type { Fault } from '../fault.js';

/** App settings that Sluice sets itself, and what to do instead. */
const OURS = {
  SLUICE_RELEASE: 'remove it',
  SLUICE_ENVIRONMENT: 'remove it',
  SLUICE_SETTINGS: 'remove it',
  WEBSITE_SWAP_WARMUP_PING_PATH: 'write configuration.warmUp.path',
  WEBSITE_SWAP_WARMUP_PING_STATUSES: 'write configuration.warmUp.statuses',
} as const;

/** Names of the settings that are Sluice's own. */
export const OWN_SETTINGS: ReadonlySet<string> = new Set(Object.keys(OURS));

/** "Configure an App Service app": letters, digits, periods and underscores; sites on Windows take ":" and "-" too. */
const ANYWHERE = /^[A-Za-z0-9_.:-]+$/;
const ON_LINUX = /^[A-Za-z0-9_.]+$/;

/** What App Service would refuse of the settings of any site. */
export function siteSettings(settings: Record<string, string>): Fault[] {
  const seen = new Map<string, string>();
  return Object.keys(settings).flatMap((name): Fault[] => {
    const upper = name.toUpperCase();
    const other = seen.get(upper);
    seen.set(upper, name);
    const instead = Object.hasOwn(OURS, upper) ? OURS[upper as keyof typeof OURS] : undefined;
    if (instead !== undefined)
      return [{ path: [name], message: `is an app setting that Sluice sets itself (${instead})` }];
    if (other !== undefined)
      return [
        {
          path: [name],
          message: `differs from ${other} only in case; App Service treats them as one setting (keep one)`,
        },
      ];
    if (ANYWHERE.test(name)) return [];
    return [
      {
        path: [name],
        message: 'is not a valid app setting name: letters, digits, ".", "_" and, on Windows, ":" and "-" only',
      },
    ];
  });
}

/** Names among these that a site on Linux refuses, each with one that says the same to .NET. */
export function refusedOnLinux(names: readonly string[]): { name: string; instead: string }[] {
  return names
    .filter((name) => !ON_LINUX.test(name))
    .map((name) => ({ name, instead: name.replaceAll(':', '__').replaceAll(/[^A-Za-z0-9_.]/g, '_') }));
}
