/** The platforms a worker serves, each behind the port in `platform.ts`. */
import { SluiceError } from '../model/errors.js';
import type { LambdaTarget, Target } from '../model/spec.js';
import type { Artifacts } from '../store/index.js';
import { createAppServicePlatform } from './app-service/driver/index.js';
import { awsClients, type Clients, createLambdaDriver, findSplits } from './lambda/driver/index.js';
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

/** The platform of one account and region, with one budget of calls for all its targets. */
export function createPlatform({ served, artifacts, callsPerSecond, share }: PlatformOptions): Platform {
  const platform = platformOf(served, createBudget({ perSecond: callsPerSecond, share }), artifacts);
  const refuseOthers = (of: { account: string; region: string; platform?: Target['platform'] }) => {
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

function platformOf(served: Served, budget: Budget, artifacts: Artifacts): Platform {
  switch (served.platform) {
    case 'lambda':
      return lambdaPlatform(served, budget, artifacts);
    case 'app-service':
      return createAppServicePlatform({ served, budget, artifacts });
  }
}

/** One set of clients for each role. */
function lambdaPlatform(served: Served, budget: Budget, artifacts: Artifacts): Platform {
  const byRole = new Map<string, Clients>();
  const clients = (roleArn = served.roleArn): Clients => {
    const key = roleArn ?? '';
    const known = byRole.get(key) ?? awsClients(served.region, roleArn);
    byRole.set(key, known);
    return known;
  };
  const driver = createLambdaDriver({ clients: (target) => clients(target.roleArn), budget, artifacts });
  return {
    driverFor: () => driver,
    sweep(ctx, of) {
      const target: LambdaTarget = { platform: 'lambda', function: '(all)', alias: '(all)', ...of };
      return findSplits({ ctx, target, clients: clients(), budget, unpoliced: new Map() });
    },
  };
}
