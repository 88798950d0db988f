import { type Site, type Slot, startAzure } from '../../emulators/azure/index.js';
import { idOf } from '../../emulators/azure/store.js';
import type { Counts } from '../../src/judge/types.js';
import type { AzureMonitorMetric } from '../../src/model/spec.js';
import { azureClients, createAppServiceDriver } from '../../src/platforms/app-service/driver/index.js';
import { ALONE, createBudget } from '../../src/platforms/drivers.js';
import { packageOf } from '../emulators/azure/app.js';
import { NO_ARTIFACTS } from '../support/artifacts.js';
import { clientsOf, seed, stagingOf } from '../support/azure.js';
import { specFor } from '../support/specs.js';
import { describeSource, type Releases, type SourceFixture, type Wanted } from './source.js';

const MINUTE = 60_000;
const METRIC: AzureMonitorMetric = {
  name: 'requests',
  kind: 'azureMonitor',
  every: 1_000,
  delay: MINUTE,
  dryRun: false,
};

/** The driver's client of Azure Monitor, at an address without TLS: the SDK sends no token to one. */
function metricsAt(endpoint: string) {
  const { metrics } = azureClients({
    subscription: 'sub',
    region: 'westeurope',
    env: { SLUICE_AZURE_MONITOR_ENDPOINT: endpoint },
    credential: { getToken: async () => null },
  });
  metrics.pipeline.removePolicy({ name: 'bearerTokenAuthenticationPolicy' });
  metrics.pipeline.addPolicy({
    name: 'withoutTls',
    sendRequest: (request, next) => next(Object.assign(request, { allowInsecureConnection: true })),
  });
  return metrics;
}

async function start(): Promise<SourceFixture> {
  const azure = await startAzure({ throttle: false });
  const sites = new Map<string, Site>();
  let begin = Math.floor(Date.now() / MINUTE) * MINUTE - 100 * MINUTE;
  let made = 0;

  const source = ({ of, now, endpoint }: Wanted) => {
    const known = clientsOf(azure);
    const driver = createAppServiceDriver({
      clients: endpoint === undefined ? known : { ...known, metrics: metricsAt(endpoint) },
      budget: createBudget({ perSecond: 1_000, share: () => ALONE }),
      artifacts: NO_ARTIFACTS,
    });
    const site = sites.get(of.candidate)?.name ?? '';
    const target = {
      platform: 'app-service',
      site,
      resourceGroup: 'shop',
      slot: 'staging',
      region: 'westeurope',
      account: azure.subscription,
    } as const;
    const spec = specFor({ type: 'direct', bake: 1_000 }, { target });
    const found = driver.source(METRIC, { spec, from: 0, isProbe: () => false, ...of, now: () => now });
    if (found === null) throw new Error('no source for azureMonitor');
    return found;
  };

  const count = (site: Site, slot: Slot, counts: Counts | null) => {
    if (counts === null) return;
    const of = { resource: idOf(azure.azure.store, site, slot), release: '', seconds: 0.01, at: begin };
    azure.traffic.add({ ...of, status: 200, times: counts.requests - counts.errors });
    azure.traffic.add({ ...of, status: 500, times: counts.errors });
  };

  return {
    countsSlow: false,
    window: MINUTE,
    delay: MINUTE,
    source,
    releases: async () => {
      const name = `site-${++made}`;
      const site = await azure.createSite({ name, resourceGroup: 'shop', slots: ['staging'] });
      const of: Releases = { stable: `r-${made}a`, candidate: `r-${made}b` };
      const zip = packageOf({ 'server.js': '' });
      await seed(azure, site.production, of.stable, zip, new Date());
      await seed(azure, stagingOf(site), of.candidate, zip, new Date());
      sites.set(of.candidate, site);
      return of;
    },
    happen: async ({ candidate }, stable, counts) => {
      begin += 2 * MINUTE;
      const site = sites.get(candidate);
      if (site === undefined) throw new Error(`nobody has made ${candidate}`);
      count(site, site.production, stable);
      count(site, stagingOf(site), counts);
      return begin + MINUTE;
    },
    stop: () => azure.stop(),
  };
}

describeSource('Azure Monitor', start);
