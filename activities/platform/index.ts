/** The platforms a worker serves, each behind the port in `platform.ts`. */
import { readArtifact } from '../../src/artifact/index.js';
import { SluiceError } from '../../src/model/errors.js';
import type { LambdaTarget } from '../../src/model/spec.js';
import { createBudget } from './budget.js';
import { awsClients, type Clients, createLambdaDriver, findSplits } from './lambda/index.js';
import type { CallContext, PlatformDriver, SweepFinding } from './platform.js';

export { type Budget, createBudget } from './budget.js';

export interface LambdaPlatformOptions {
  /** The account and region a worker serves, and the role for targets that name none. */
  served: { account: string; region: string; roleArn?: string };
  /** Control-plane calls a second of all workers together. */
  callsPerSecond: number;
  /** This worker's part of them, 0-1. */
  share: () => number;
}

export interface LambdaPlatform {
  /** Errors: SLUICE_NO_WORKER for a target of another account or region. */
  driverFor(target: LambdaTarget): PlatformDriver;
  /** Aliases of the account that are split and carry our mark. */
  sweep(ctx: CallContext, args: { account: string; region: string }): Promise<SweepFinding[]>;
}

/** Lambda for one account and region: one budget of calls for all its targets, one set of clients for each role. */
export function createLambdaPlatform({ served, callsPerSecond, share }: LambdaPlatformOptions): LambdaPlatform {
  const budget = createBudget({ perSecond: callsPerSecond, share });
  const byRole = new Map<string, Clients>();
  const clients = (roleArn = served.roleArn): Clients => {
    const key = roleArn ?? '';
    const known = byRole.get(key) ?? awsClients(served.region, roleArn);
    byRole.set(key, known);
    return known;
  };
  const driver = createLambdaDriver({ clients: (target) => clients(target.roleArn), budget, readArtifact });
  const refuseOthers = (of: { account: string; region: string }) => {
    if (of.account === served.account && of.region === served.region) return;
    throw new SluiceError(
      'SLUICE_NO_WORKER',
      `this worker serves account ${served.account} in ${served.region}, not ${of.account} in ${of.region}`,
    );
  };
  return {
    driverFor(target) {
      refuseOthers(target);
      return driver;
    },
    async sweep(ctx, of) {
      refuseOthers(of);
      const target: LambdaTarget = { platform: 'lambda', function: '(all)', alias: '(all)', ...of };
      return findSplits({ ctx, target, clients: clients(), budget });
    },
  };
}
