import { SluiceError } from '../../../src/model/errors.js';
import type { Artifact } from '../../../src/model/spec.js';
import type { Budget } from '../budget.js';
import type { Platform, Served } from '../platform.js';

export interface AppServicePlatformOptions {
  /** The subscription and region. */
  served: Served;
  budget: Budget;
  /** The artifact's bytes, checked against its sha256. Errors: SLUICE_ARTIFACT. */
  readArtifact: (artifact: Artifact) => Promise<Uint8Array>;
}

/** Azure App Service. Errors: SLUICE_SETUP, since this release has no driver for it yet. */
export function createAppServicePlatform({ served }: AppServicePlatformOptions): Platform {
  throw new SluiceError(
    'SLUICE_SETUP',
    `this release of Sluice cannot serve subscription ${served.account} in ${served.region}: it has no driver for app-service yet (take it out of SLUICE_ACCOUNTS)`,
  );
}
