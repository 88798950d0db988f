import { z } from 'zod';
import { DEFAULTS } from '../defaults.js';
import { name, strict, text, whole } from './parts.js';

/** Names as Lambda allows them (CreateFunction and CreateAlias in its API reference). */
const FUNCTION = /^[A-Za-z0-9_-]{1,64}$/;
const ALIAS = /^(?!\d+$)[A-Za-z0-9_-]{1,122}$/;
const ROLE = /^arn:[a-z-]+:iam::\d{12}:role\/\S+$/;
const LAYER = /^arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:layer:[A-Za-z0-9_-]+:\d+$/;

const role = () => z.string().regex(ROLE, 'expected the ARN of a role: arn:aws:iam::<account>:role/<name>');

export const target = strict({
  platform: z
    .literal('lambda', { error: 'the only platform is lambda' })
    .prefault(DEFAULTS.target.platform)
    .describe('What the target runs on.'),
  function: z
    .string()
    .regex(FUNCTION, 'expected the name of a function (not its ARN; the account is given by target.account)')
    .describe("The Lambda function's name."),
  alias: z
    .string()
    .regex(ALIAS, 'expected the name of an alias (letters, digits, "_" and "-", and not a number)')
    .prefault(DEFAULTS.target.alias)
    .describe('The alias that the users reach; traffic is split here.'),
  region: z
    .string()
    .regex(/^[a-z]{2}(?:-[a-z]+)+-\d+$/, 'expected a region such as eu-central-1')
    .describe('The AWS region.'),
  account: name().prefault(DEFAULTS.target.account).describe('The name under which a worker serves the AWS account.'),
  roleArn: role().exactOptional().describe('Role that the worker assumes for this target.'),
});

const artifact = strict({
  uri: z
    .string()
    .regex(/^file:\/\//, 'expected a file: URL')
    .describe('`file:` URL of the zip in the artifact store.'),
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

const SOURCES = ['folder', 'zip', 's3', 'image', 'version', 'artifact'];

/** Exactly one member, as the check says; the parser reports it in these words. */
export const release = strict({
  folder: text(4096)
    .exactOptional()
    .describe('A folder with the code, relative to this file. It is packed byte-identically.'),
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
  version: whole(1, Number.MAX_SAFE_INTEGER).exactOptional().describe('A version that is published already.'),
  artifact: artifact.exactOptional().describe('A packed artifact: what `folder` and `zip` become.'),
})
  .superRefine((value, ctx) => {
    const given = Object.keys(value);
    if (given.length === 1) return;
    ctx.addIssue(
      `a release has exactly one of ${SOURCES.join(', ')}${given.length > 1 ? ` (here: ${given.join(' and ')})` : ''}`,
    );
  })
  .meta({ minProperties: 1, maxProperties: 1 });

export const configuration = strict({
  runtime: text(64).exactOptional().describe('Runtime, such as nodejs20.x.'),
  handler: text(128).exactOptional().describe('Handler, such as index.handler.'),
  role: role().exactOptional().describe('Execution role; needed to create a function.'),
  memory: whole(128, 10_240).exactOptional().describe('Memory in MB.'),
  timeout: whole(1, 900).exactOptional().describe('Timeout in seconds.'),
  environment: z
    .record(z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/, 'letters, digits and "_" only, a letter first'), z.string())
    .exactOptional()
    .describe('Environment variables of the function; replaces all it has.'),
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
});
