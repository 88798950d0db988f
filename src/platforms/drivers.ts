/** The platforms a worker serves, each behind the port in `port.ts`. */
import { SluiceError } from '../model/errors.js';
import type { PlatformName } from '../model/target.js';
import type { Artifacts } from '../store/index.js';
import { createAppServicePlatform } from './app-service/driver/index.js';
import { createLambdaPlatform } from './lambda/driver/index.js';
import type { Platform, Served } from './port.js';
import { type Budget, createBudget, type Share } from './shared/budget.js';

export type { Served } from './port.js';
export { ALONE, type Budget, createBudget, partOf, type Share } from './shared/budget.js';

export interface PlatformOptions {
  served: Served;
  artifacts: Artifacts;
  /** Control-plane calls a second of all workers together, for what goes forward. */
  callsPerSecond: number;
  /** This worker's place among those that share them. */
  share: () => Share;
}

/** What makes a platform for one served account. */
type Make = (of: { served: Served; budget: Budget; artifacts: Artifacts }) => Platform;

const PLATFORMS: { readonly [P in PlatformName]: Make } = {
  lambda: createLambdaPlatform,
  'app-service': createAppServicePlatform,
};

/** The platform of one account and region, with one budget of calls for all its targets. */
export function createPlatform({ served, artifacts, callsPerSecond, share }: PlatformOptions): Platform {
  const budget = createBudget({ perSecond: callsPerSecond, share });
  const platform = PLATFORMS[served.platform]({ served, budget, artifacts });
  const refuseOthers = (of: { account: string; region: string; platform?: PlatformName }) => {
    const { platform: on = served.platform, account, region } = of;
    if (on === served.platform && account === served.account && region === served.region) return;
    throw new SluiceError(
      'SLUICE_NO_WORKER',
      `this worker serves account ${served.account} in ${served.region} on ${served.platform}, not ${account} in ${region} on ${on}`,
    );
  };
  return {
    driverFor(target) {
      refuseOthers(target);
      return platform.driverFor(target);
    },
    async sweep(ctx, of) {
      refuseOthers(of);
      return platform.sweep(ctx, of);
    },
  };
}
