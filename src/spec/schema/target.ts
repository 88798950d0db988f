import { z } from 'zod';
import { DEFAULTS } from '../defaults.js';
import { name, strict, text, whole } from './parts.js';

/** Names as Lambda allows them (CreateFunction and CreateAlias in its API reference). */
const FUNCTION = /^[A-Za-z0-9_-]{1,64}$/;
const ALIAS = /^(?!\d+$)[A-Za-z0-9_-]{1,122}$/;
const ROLE = /^arn:aws[a-z-]*:iam::\d{12}:role\/\S+$/;
const LAYER = /^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:layer:[A-Za-z0-9_-]+:\d+$/;
/** The form alone: AWS adds regions, and which ones it has, the SDK knows (`src/spec/partitions.ts`). */
const REGION = /^[a-z]{2,8}(?:-[a-z0-9]+)+-\d+$/;

/** Names as Azure allows them ("Naming rules and restrictions for Azure resources", Microsoft.Web and Microsoft.Resources). */
const SITE = /^(?!-)[A-Za-z0-9-]{2,60}(?<!-)$/;
const SLOT = /^(?!production$)(?!-)[A-Za-z0-9-]{2,59}(?<!-)$/i;
const RESOURCE_GROUP = /^[\w.()-]{1,90}(?<!\.)$/;
const SUBSCRIPTION = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const role = () => z.string().regex(ROLE, 'expected the ARN of a role: arn:aws:iam::<account>:role/<name>');

const onLambda = {
  platform: z.literal('lambda').prefault(DEFAULTS.target.platform).describe('What the target runs on.'),
  function: z
    .string()
    .regex(FUNCTION, 'expected the name of a function (not its ARN; the account is given by target.account)')
    .describe("The Lambda function's name."),
  alias: z
    .string()
    .regex(ALIAS, 'expected the name of an alias (letters, digits, "_" and "-", and not a number)')
    .prefault(DEFAULTS.target.alias)
    .describe('The alias that the users reach; traffic is split here.'),
  region: z.string().regex(REGION, 'expected a region such as eu-central-1').describe('The AWS region.'),
  account: name().prefault(DEFAULTS.target.account).describe('The name under which a worker serves the AWS account.'),
  roleArn: role().exactOptional().describe('Role that the worker assumes for this target.'),
};

const onAppService = {
  platform: z.literal('app-service').describe('What the target runs on.'),
  site: z
    .string()
    .regex(SITE, 'expected the name of a site (not its host name)')
    .describe('The site whose production slot the users reach.'),
  resourceGroup: z
    .string()
    .regex(RESOURCE_GROUP, 'expected the name of a resource group')
    .describe('The resource group of the site.'),
  slot: z
    .string()
    .regex(SLOT, 'expected the name of a slot beside production, such as staging')
    .exactOptional()
    .describe('The slot that new releases go into. Without one only `direct` is possible.'),
  region: z
    .string()
    .regex(/^[a-z]+\d*$/, 'expected a region such as westeurope')
    .describe('The Azure region.'),
  account: z
    .string()
    .regex(SUBSCRIPTION, "expected the subscription's id, a GUID in lower case")
    .describe("The subscription's id."),
};

/** The keys that `of` has and `other` has not, each with what to do about it. */
function belonging(of: object, platform: string, other: object, here: string): Record<string, string> {
  const keys = Object.keys(of).filter((key) => !Object.hasOwn(other, key));
  const said = `is for platform ${platform}, and this target is on ${here} (take it out, or write platform: ${platform})`;
  return Object.fromEntries(keys.map((key) => [key, said]));
}

/** The parser fills in the platform before this is asked. */
export const target = z.discriminatedUnion(
  'platform',
  [
    strict(onLambda, belonging(onAppService, 'app-service', onLambda, 'lambda')),
    strict(onAppService, belonging(onLambda, 'lambda', onAppService, 'app-service')),
  ],
  { error: (issue) => (issue.code === 'invalid_union' ? 'expected one of lambda, app-service' : undefined) },
);

const artifact = strict({
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits')
    .describe('SHA-256 of its bytes, in hex.'),
  bytes: z.int().min(1).describe('Its size in bytes.'),
});

const s3 = strict({
  bucket: text().describe("The bucket, in the function's region."),
  key: text(1024).describe('The key of the zip.'),
  version: text(1024).exactOptional().describe('The version of the object, for a versioned bucket.'),
});

/** A version number that fits a number, or a release id of App Service. */
const VERSION = /^(?:[1-9]\d{0,14}|r-[0-9a-f]{12})$/;

const SOURCES = ['folder', 'zip', 's3', 'image', 'version', 'latest', 'current', 'artifact'];

/** A source that is only named. */
const yes = () =>
  z
    .boolean({ error: 'expected true' })
    .refine((value) => value, 'expected true (or take it out)')
    .meta({ const: true });

/** Exactly one member, as the check says; the parser reports it in these words. */
export const release = strict({
  folder: text(4096)
    .exactOptional()
    .describe(
      'A folder with the code, relative to this file. It is packed byte-identically, without what its `.sluiceignore` names.',
    ),
  zip: text(4096).exactOptional().describe('A zip with the code, relative to this file.'),
  s3: s3.exactOptional().describe('A zip in S3.'),
  image: z
    .string()
    .regex(
      /^\S+@sha256:[0-9a-f]{64}$/,
      'expected an image by digest: <registry>/<name>@sha256:… (a tag can change under way)',
    )
    .exactOptional()
    .describe('A container image by digest.'),
  version: z
    .union([
      whole(1, Number.MAX_SAFE_INTEGER),
      z.string().regex(VERSION, 'expected a version number, or on App Service a release id such as r-0123456789ab'),
    ])
    .exactOptional()
    .describe('A release that is there already: a published version, or on App Service a release id.'),
  latest: yes()
    .exactOptional()
    .describe(
      'What SAM, CDK, Terraform or somebody else has put into `$LATEST`: it is published as it is, and nothing of it is written. Lambda.',
    ),
  current: yes()
    .exactOptional()
    .describe('The code that is live now, with the `configuration` of this spec: a release of a setting alone.'),
  artifact: artifact
    .exactOptional()
    .describe('A packed artifact, by its digest: what `sluice pack` prints for a `folder` or `zip`.'),
})
  .superRefine((value, ctx) => {
    const given = Object.keys(value);
    if (given.length === 1) return;
    ctx.addIssue(
      `a release has exactly one of ${SOURCES.join(', ')}${given.length > 1 ? ` (here: ${given.join(' and ')})` : ''}`,
    );
  })
  .meta({ minProperties: 1, maxProperties: 1 });

const path = () =>
  z
    .string()
    .regex(/^\/[^\s?#]*$/, 'expected a path such as /health')
    .max(1024, 'at most 1024 characters');

/** The fields of all platforms; the check refuses those of another one. */
export const configuration = strict({
  runtime: text(64).exactOptional().describe('Runtime, such as nodejs20.x.'),
  handler: text(128).exactOptional().describe('Handler, such as index.handler.'),
  role: role().exactOptional().describe('Execution role; needed to create a function.'),
  memory: whole(128, 10_240).exactOptional().describe('Memory in MB.'),
  timeout: whole(1, 900).exactOptional().describe('Timeout in seconds.'),
  environment: z
    .record(z.string(), z.string())
    .exactOptional()
    .describe(
      'Environment variables of the function; replaces all it has. On App Service the app settings that travel with the release. A value may be a reference to a secret: `secret://STORE/NAME`.',
    ),
  layers: z
    .array(z.string().regex(LAYER, 'expected the ARN of a layer version'))
    .max(5, 'at most 5 layers')
    .exactOptional()
    .describe('ARNs of layer versions.'),
  description: z.string().max(256, 'at most 256 characters').exactOptional().describe("The function's description."),
  logFormat: z
    .enum(['JSON', 'Text'])
    .exactOptional()
    .describe('How Lambda writes the logs. The metric `lambdaLogs` needs JSON.'),
  provisionedConcurrency: whole(0, 100_000)
    .exactOptional()
    .describe('Provisioned concurrency of the candidate, ready before it gets weight.'),
  marker: path()
    .exactOptional()
    .describe("App Service: path whose answer holds the release's id, read back after each deployment and swap."),
  warmUp: strict({
    path: path().prefault(DEFAULTS.warmUp.path).describe('The path.'),
    statuses: z
      .array(whole(100, 599))
      .min(1, 'at least one status')
      .prefault([...DEFAULTS.warmUp.statuses])
      .describe('HTTP statuses of a release that is ready.'),
  })
    .exactOptional()
    .describe('App Service: the request that must succeed before a swap exchanges the slots.'),
  idle: z
    .enum(['keep', 'stop'])
    .exactOptional()
    .describe('App Service: what becomes of the slot with the replaced release when it is retired; keep unless given.'),
});
