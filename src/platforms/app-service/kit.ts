/** Azure App Service, as far as it can be known without asking Azure. Pure. */

import type { PlatformMetricKind } from '../../model/spec.js';
import { missingOption } from '../command-line.js';
import type { PlatformKit } from '../kit.js';
import { MB } from '../packing.js';
import { commandLine } from './command-line.js';

/** The sources that `sources/index.ts` makes. */
export const METRICS = ['azureMonitor'] as const satisfies readonly PlatformMetricKind[];

/** What any site answers that runs at all; the platform's own default takes a 500 for ready. */
export const WARM_UP = { path: '/', statuses: [200] };

export const SUBSCRIPTION = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const appService: PlatformKit<'app-service'> = {
  title: 'App Service',
  releases: ['folder', 'zip', 'version', 'current', 'artifact'],
  metrics: METRICS,
  alarms: [],
  events: null,
  noBareCallers: 'on App Service all callers go through the site',
  defaults: {
    // Uploads, starts and swaps with their warm-up take minutes here, and so does going back.
    deadlines: { deploy: '30m', shift: '15m', stuckAfter: '15m' },
    // The users' own requests to a site, which App Service counts without any set-up.
    metrics: [{ name: 'requests', azureMonitor: {} }],
    // Sending half the traffic back means another swap of the slots, and direct has no stable release to return to.
    judge: { probeBack: false },
  },
  // The replaced release stays ready for a swap back.
  configured: (configuration) => ({
    warmUp: { path: WARM_UP.path, statuses: [...WARM_UP.statuses] },
    idle: 'keep',
    ...configuration,
  }),
  runsBesideStable: ({ slot }) => slot !== undefined,
  places: ['site', 'slot'],
  placesOf: ({ site, slot = '' }) => ({ site, slot }),
  version: {
    form: 'r-[0-9a-f]{12}',
    called: 'a release id',
    write: 'a release id such as r-0123456789ab; `sluice releases` lists them',
    example: 'r-000000000000',
    written: (id) => id,
    toAdopt: 'start a rollout with `sluice start` instead; nothing has to be adopted',
  },
  // A slot runs as many instances as production without being asked.
  needsCapacity: () => false,
  packing: {
    // "Deploy files to Azure App Service": 2048 MB for a zip. Kudu writes a link as a text file with its target in it
    // (webapps-deploy#54). A Premium plan stores 250 GB ("App Service limits").
    rules: {
      platform: 'App Service',
      links: 'copy',
      places: [],
      mostZipped: 2048 * MB,
      mostUnzipped: 250 * 1024 * MB,
      whenTooLarge: 'Remove files (.sluiceignore)',
    },
  },
  awsIdentity: () => null,
  insteadOfSecret: (reference) => {
    const [vault = 'VAULT', secret = 'NAME'] =
      reference?.provider === 'azure-keyvault' ? reference.name.split('/') : [];
    return `a reference that App Service resolves: @Microsoft.KeyVault(SecretUri=https://${vault}.vault.azure.net/secrets/${secret})`;
  },
  account: {
    form: "subscription@region with the subscription's id in lower case",
    // Task queue names are case-sensitive, and subscription ids are not, so a spec accepts only lower case.
    accepts: ({ account, roleArn }) => roleArn === undefined && SUBSCRIPTION.test(account),
    help: {
      account: 'the subscription id',
      region: 'it must be given',
      credentials: 'an account is a subscription, named by its id; credentials come from the environment',
    },
    hasDefault: false,
    regionIn: () => undefined,
    chosen: ({ account, region }) => {
      if (account === undefined) throw missingOption('App Service', 'the subscription', '--account SUBSCRIPTION-ID');
      if (region === undefined) {
        throw missingOption('App Service', 'the region', '--region, such as --region westeurope');
      }
      return { account, region };
    },
  },
  commandLine,
};
