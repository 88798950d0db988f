/** AWS Lambda, as far as it can be known without asking AWS. Pure. */
import { DEFAULT_ACCOUNT } from '../../model/ids.js';
import type { PlatformMetricKind } from '../../model/spec.js';
import type { PlatformKit } from '../kit.js';
import { MB, type PackingRules } from '../packing.js';
import { commandLine } from './command-line.js';

/** The sources that `sources/index.ts` makes. */
export const METRICS = ['cloudwatch', 'lambdaLogs'] as const satisfies readonly PlatformMetricKind[];

/**
 * "Lambda quotas": 50 MB for a zip in the call, 250 MB unzipped. Lambda unpacks links as links, below /var/task; layers are in
 * /opt, scratch space is /tmp, file systems are mounted below /mnt.
 */
const PACKING: PackingRules = {
  platform: 'Lambda',
  links: 'keep',
  places: ['/opt', '/tmp', '/mnt'],
  mostZipped: 50 * MB,
  mostUnzipped: 250 * MB,
  whenTooLarge:
    "Remove files (.sluiceignore), keep artifacts in S3 in the function's Region (SLUICE_STORE=s3://BUCKET/PREFIX, for the client and for the workers), or put the zip into S3 yourself (release: {s3: …})",
};

/** Most bytes of a zip that a call to Lambda carries. A larger one it reads from S3 itself, in its own Region. */
export const MOST_IN_CALL = PACKING.mostZipped;

export const lambda: PlatformKit<'lambda'> = {
  title: 'Lambda',
  releases: ['folder', 'zip', 's3', 'image', 'version', 'latest', 'current', 'artifact'],
  metrics: METRICS,
  alarms: ['cloudwatch'],
  events: {
    // An asynchronous call that fails is tried again after one and after two minutes, and only then counted as lost ("Asynchronous
    // invocation", AWS Lambda developer guide). The rest is for the metric to be published.
    shortestBake: 4 * 60_000,
    lastRetry: '3 minutes',
    tries: 3,
    alarms: 'AsyncEventsDropped, IteratorAge, or the queue where failed events go',
  },
  // A call of the function's name alone runs `$LATEST`.
  noBareCallers: null,
  defaults: {
    deadlines: {},
    // The users' own requests, which every function has without any set-up.
    metrics: [{ name: 'requests', cloudwatch: {} }],
    judge: {},
  },
  configured: (configuration) => configuration,
  runsBesideStable: () => true,
  places: ['function', 'alias'],
  placesOf: ({ function: name, alias }) => ({ function: name, alias }),
  version: {
    form: '[1-9]\\d{0,14}',
    called: 'a version',
    write: 'the number of a published version',
    example: 1,
    written: (id) => (/^\d+$/.test(id) ? Number(id) : id),
    toAdopt: 'publish a version and point the alias at it first',
  },
  needsCapacity: ({ configuration: { provisionedConcurrency = 0 } }) => provisionedConcurrency > 0,
  packing: {
    rules: PACKING,
    // From S3 a zip has no limit of its own: what it unzips to has.
    fromS3: { ...PACKING, mostZipped: PACKING.mostUnzipped, whenTooLarge: 'Remove files (.sluiceignore)' },
  },
  awsIdentity: ({ region, roleArn }) => ({ region, ...(roleArn === undefined ? {} : { roleArn }) }),
  insteadOfSecret: () => 'the function that reads the secret at run time (AWS Parameters and Secrets Lambda Extension)',
  account: {
    form: 'name@region or name@region=roleArn',
    accepts: () => true,
    help: {
      account: `the name its worker serves it under (default: ${DEFAULT_ACCOUNT})`,
      region: 'the default is $AWS_REGION, then us-east-1',
      credentials: 'credentials come from the usual chain of AWS (AWS_* and so on) or from a role to assume',
    },
    hasDefault: true,
    regionIn: (env) => env.AWS_REGION ?? env.AWS_DEFAULT_REGION,
    chosen: ({ account = DEFAULT_ACCOUNT, region }, env) => ({
      account,
      region: region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? 'us-east-1',
    }),
  },
  commandLine,
};
