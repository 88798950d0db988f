import type { Target } from './spec.js';

/** A target as people name it: `function:alias` on Lambda, `site/slot` or `site` on App Service. */
export function targetName(target: Target): string {
  switch (target.platform) {
    case 'lambda':
      return `${target.function}:${target.alias}`;
    case 'app-service':
      return target.slot === undefined ? target.site : `${target.site}/${target.slot}`;
  }
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
