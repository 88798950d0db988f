import type { PlatformName, Target } from './spec.js';

export const PLATFORMS = ['lambda', 'app-service'] as const satisfies readonly PlatformName[];

/** A target as people name it: `function:alias` on Lambda, `site/slot` or `site` on App Service. */
export function targetName(target: Target): string {
  switch (target.platform) {
    case 'lambda':
      return `${target.function}:${target.alias}`;
    case 'app-service':
      return target.slot === undefined ? target.site : `${target.site}/${target.slot}`;
  }
}

/** A release's version as `release.version` of a spec takes it: a number on Lambda, a release id on App Service. */
export function versionOf(release: string): number | string {
  return /^\d+$/.test(release) ? Number(release) : release;
}

/** An environment of blue-green as people name it: an alias of its own on Lambda, a slot's content on App Service. */
export function environmentName(target: Target, side: 'blue' | 'green'): string {
  switch (target.platform) {
    case 'lambda':
      return `${target.alias}-${side}`;
    case 'app-service':
      return side;
  }
}
