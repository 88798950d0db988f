/** What a rollout.yaml may say for a target on AWS Lambda. */
import { z } from 'zod';
import { DEFAULT_ACCOUNT } from '../../model/ids.js';
import type { LambdaTarget, Report, Spec } from '../../model/spec.js';
import { DEFAULT_PLATFORM } from '../../model/target.js';
import { name, text, whole } from '../../spec/schema/parts.js';
import * as fields from '../fields.js';
import type { SpecRules } from '../spec-rules.js';
import { DEFAULT_ALIAS } from './names.js';
import { layerFault, roleFault } from './partitions.js';
import { lambdaVariables } from './variables.js';

/** Names as Lambda allows them (CreateFunction and CreateAlias in its API reference). */
const FUNCTION = /^[A-Za-z0-9_-]{1,64}$/;
const ALIAS = /^(?!\d+$)[A-Za-z0-9_-]{1,122}$/;
const ROLE = /^arn:aws[a-z-]*:iam::\d{12}:role\/\S+$/;
const LAYER = /^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:layer:[A-Za-z0-9_-]+:\d+$/;
/** The form alone: AWS adds regions, and which ones it has, the SDK knows (partitions.ts). */
const REGION = /^[a-z]{2,8}(?:-[a-z0-9]+)+-\d+$/;

const role = () => z.string().regex(ROLE, 'expected the ARN of a role: arn:aws:iam::<account>:role/<name>');

const target = {
  platform: z.literal('lambda').prefault(DEFAULT_PLATFORM).describe('What the target runs on.'),
  function: z
    .string()
    .regex(FUNCTION, 'expected the name of a function (not its ARN; the account is given by target.account)')
    .describe("The Lambda function's name."),
  alias: z
    .string()
    .regex(ALIAS, 'expected the name of an alias (letters, digits, "_" and "-", and not a number)')
    .prefault(DEFAULT_ALIAS)
    .describe('The alias that the users reach; traffic is split here.'),
  region: z.string().regex(REGION, 'expected a region such as eu-central-1').describe('The AWS region.'),
  account: name().prefault(DEFAULT_ACCOUNT).describe('The name under which a worker serves the AWS account.'),
  roleArn: role().exactOptional().describe('Role that the worker assumes for this target.'),
};

const configuration = {
  runtime: text(64).exactOptional().describe('Runtime, such as nodejs20.x.'),
  handler: text(128).exactOptional().describe('Handler, such as index.handler.'),
  role: role().exactOptional().describe('Execution role; needed to create a function.'),
  memory: whole(128, 10_240).exactOptional().describe('Memory in MB.'),
  timeout: whole(1, 900).exactOptional().describe('Timeout in seconds.'),
  environment: fields.environment(),
  layers: z
    .array(z.string().regex(LAYER, 'expected the ARN of a layer version'))
    .max(5, 'at most 5 layers')
    .exactOptional()
    .describe('ARNs of layer versions.'),
  description: fields.description(),
  logFormat: z
    .enum(['JSON', 'Text'])
    .exactOptional()
    .describe('How Lambda writes the logs. The metric `lambdaLogs` needs JSON.'),
  provisionedConcurrency: whole(0, 100_000)
    .exactOptional()
    .describe('Provisioned concurrency of the candidate, ready before it gets weight.'),
};

function check(spec: Spec & { target: LambdaTarget }, fault: Report, variables: Record<string, string>): void {
  const { target: of, release, health } = spec;
  const { role: execution, layers = [] } = spec.configuration;
  const at = (path: (string | number)[], message: string | null) => message !== null && fault(path, message);
  for (const { path, message } of lambdaVariables(variables)) {
    fault(['configuration', 'environment', ...path], message);
  }
  if (of.roleArn !== undefined) at(['target', 'roleArn'], roleFault(of.roleArn, of));
  if (execution !== undefined) at(['configuration', 'role'], roleFault(execution, of));
  for (const [i, layer] of layers.entries()) at(['configuration', 'layers', i], layerFault(layer, of));
  for (const [i, metric] of health.metrics.entries()) {
    if (metric.kind !== 'http' || !asksForHost(metric)) continue;
    fault(
      ['health', 'metrics', i, 'http', 'url'],
      'has {host}, and a version on Lambda has no host (tell the releases apart by {version})',
    );
  }
  checkLatest(spec, fault);
  if ('current' in release && Object.keys(spec.configuration).every((field) => BESIDE_THE_VERSION.includes(field))) {
    fault(
      ['release', 'current'],
      'releases the live code with another configuration, and configuration changes nothing of it (write what is to change, such as configuration.memory)',
    );
  }
  for (const [i, probe] of health.probes.entries()) {
    if (!asksForHost(probe)) continue;
    fault(
      ['health', 'probes', i, 'http', 'url'],
      'has {host}, and a version on Lambda has no host (probe it by invoke, or by a URL with {version})',
    );
  }
}

/** Fields of the configuration that make no other version. */
const BESIDE_THE_VERSION = ['provisionedConcurrency', 'description'];

/** Provisioned concurrency is put on the version; everything else would have to be written into `$LATEST` first. */
function checkLatest({ release, configuration: given }: Spec, fault: Report): void {
  if (!('latest' in release)) return;
  const [field] = Object.keys(given).filter((key) => key !== 'provisionedConcurrency');
  if (field === undefined) return;
  fault(
    ['configuration', field],
    'cannot be used with release.latest, which publishes $LATEST unchanged (set it where $LATEST is configured, such as the template of the stack)',
  );
}

function asksForHost({ url }: { url?: string }): boolean {
  return url?.includes('{host}') ?? false;
}

export const lambdaSpec = { target, configuration, check } satisfies SpecRules<'lambda'>;
