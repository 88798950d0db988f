import { azureClients, createAppServiceDriver } from '../../activities/platform/app-service/index.js';
import { createBudget } from '../../activities/platform/index.js';
import { readArtifact } from '../../src/artifact/index.js';
import type { Counts } from '../../src/judge/types.js';
import type { AzureMonitorMetric } from '../../src/model/spec.js';
import { Cloud } from '../platform/app-service/cloud/cloud.js';
import type { Site } from '../platform/app-service/cloud/site.js';
import { clientsOf } from '../platform/app-service/cloud/transport.js';
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
  const cloud = new Cloud();
  const sites = new Map<string, Site>();
  let begin = Math.floor(Date.now() / MINUTE) * MINUTE - 100 * MINUTE;
  let made = 0;

  const source = ({ of, now, endpoint }: Wanted) => {
    const known = clientsOf(cloud);
    const driver = createAppServiceDriver({
      clients: endpoint === undefined ? known : { ...known, metrics: metricsAt(endpoint) },
      budget: createBudget({ perSecond: 1_000, share: () => 1 }),
      readArtifact,
    });
    const site = sites.get(of.candidate)?.name ?? '';
    const target = {
      platform: 'app-service',
      site,
      resourceGroup: 'shop',
      slot: 'staging',
      region: 'westeurope',
      account: 'sub',
    } as const;
    const spec = specFor({ type: 'direct', bake: 1_000 }, { target });
    const found = driver.source(METRIC, { spec, from: 0, isProbe: () => false, ...of, now: () => now });
    if (found === null) throw new Error('no source for azureMonitor');
    return found;
  };

  const count = (site: Site, slot: string | null, counts: Counts | null) => {
    const { id } = site.resource(slot);
    if (counts !== null) cloud.metrics.add({ resource: id, begin, requests: counts.requests, errors: counts.errors });
  };

  return {
    countsSlow: false,
    window: MINUTE,
    delay: MINUTE,
    source,
    releases: async () => {
      const site = cloud.create(`site-${++made}`);
      const of: Releases = { stable: `r-${made}a`, candidate: `r-${made}b` };
      cloud.seed(site.production, of.stable, Buffer.alloc(0));
      cloud.seed(site.staging, of.candidate, Buffer.alloc(0));
      sites.set(of.candidate, site);
      return of;
    },
    happen: async ({ candidate }, stable, counts) => {
      begin += 2 * MINUTE;
      const site = sites.get(candidate);
      if (site === undefined) throw new Error(`nobody has made ${candidate}`);
      count(site, null, stable);
      count(site, 'staging', counts);
      return begin + MINUTE;
    },
    stop: async () => undefined,
  };
}

describeSource('Azure Monitor', start);
