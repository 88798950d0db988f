/** Whether the role may do what the rollout will need, asked before it begins. */
import {
  InvokeCommand,
  PublishVersionCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import type { FunctionConfiguration, Spec } from '../../../model/spec.js';
import { reachOf } from '../../../strategies/registry.js';
import type { BeforeState, Finding } from '../../port.js';
import { hasCode } from '../../shared/failures.js';
import { refuse, warn } from '../../shared/findings.js';
import { call, callFree, type Session } from './client.js';
import { changes, type LambdaConfiguration, lambdaDigest } from './configuration.js';
import { environmentAlias } from './environments.js';
import { writesCode } from './release-kinds.js';

/**
 * Never the RevisionId of anything: a write with it is refused whatever else is right, so it can be tried without an
 * effect. The requests also name nothing to change. That AWS looks at the permission before the revision is our reading,
 * not run against AWS: were it the other way round, a missing permission would show at the real call only.
 */
const SPENT = '00000000-0000-4000-8000-000000000000';
/** The end-of-directory record of a zip without entries. */
const EMPTY_ZIP = Buffer.from(`504b0506${'00'.repeat(18)}`, 'hex');
/** A digest that no code has. */
const NO_CODE = lambdaDigest('00'.repeat(32));

/** What the permissions are tried on. */
interface Tried {
  before: BeforeState;
  latest: LambdaConfiguration;
  /** What the release runs with beside what it finds in `$LATEST`. */
  given: FunctionConfiguration;
}

/**
 * Tests without an effect what the rollout will call: one refusal for each action that is not allowed. What AWS cannot test
 * is reported as not checked.
 */
export async function checkPermissions(session: Session, spec: Spec, tried: Tried): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const attempt of attempts(session, spec, tried)) {
    const denied = await denial(attempt);
    if (denied !== null) found.push(refuse('SLUICE_PERMISSION', denied));
  }
  const actions = untried(session, spec, tried);
  return actions.length === 0 ? found : [...found, unchecked(actions, 'AWS has no way to try them without an effect')];
}

/** What a function that does not exist yet needs. Pure. */
export function permissionsToCreate(): Finding {
  return unchecked(
    ['lambda:CreateFunction', 'iam:PassRole', 'lambda:PublishVersion', 'lambda:CreateAlias'],
    'there is no function yet to try them on',
  );
}

function unchecked(actions: string[], why: string): Finding {
  return warn('UNCHECKED', `permissions not checked: ${actions.join(', ')}; ${why}`);
}

/** Why the provider does not allow it; null when it does. Any other refusal came after the permission was found. */
async function denial(attempt: () => Promise<unknown>): Promise<string | null> {
  try {
    await attempt();
    return null;
  } catch (error) {
    if (hasCode(error, 'SLUICE_PERMISSION')) return error.message;
    if (hasCode(error, 'SLUICE_REFUSED', 'SLUICE_BUSY', 'SLUICE_NOT_FOUND')) return null;
    throw error;
  }
}

function attempts(session: Session, spec: Spec, { before, latest, given }: Tried): (() => Promise<unknown>)[] {
  const { function: FunctionName, alias: Name } = session.target;
  const fence = { FunctionName, RevisionId: SPENT };
  const tries: (() => Promise<unknown>)[] = [];
  if (writesCode(spec)) {
    tries.push(() => call(session, new UpdateFunctionCodeCommand({ ...fence, ...codeOf(spec), DryRun: true })));
  }
  if (!('version' in spec.release)) {
    tries.push(() => call(session, new PublishVersionCommand({ ...fence, CodeSha256: NO_CODE })));
  }
  if (changes(latest, given) !== null) {
    tries.push(() => call(session, new UpdateFunctionConfigurationCommand(fence)));
  }
  if (before.revision !== null) tries.push(() => call(session, new UpdateAliasCommand({ ...fence, Name })));
  const Qualifier = probed(session, spec, before);
  if (invokes(spec) && Qualifier !== null) {
    const dryRun = new InvokeCommand({ FunctionName, Qualifier, InvocationType: 'DryRun' });
    tries.push(() => callFree(session, session.clients.lambda, dryRun));
  }
  return tries;
}

/** Code of the kind that will be given; the zip's bytes do not matter to a dry run that is refused. */
function codeOf({ release }: Spec) {
  if ('s3' in release) {
    const { bucket, key, version } = release.s3;
    return { S3Bucket: bucket, S3Key: key, S3ObjectVersion: version };
  }
  return 'image' in release ? { ImageUri: release.image } : { ZipFile: EMPTY_ZIP };
}

function untried(session: Session, spec: Spec, { before, latest, given }: Tried): string[] {
  const { provisionedConcurrency } = spec.configuration;
  const { environments } = before;
  const placed = reachOf(spec) !== 'idle' || (environments?.blue != null && environments.green != null);
  return [
    ...(before.revision !== null && placed ? [] : ['lambda:CreateAlias', 'lambda:DeleteAlias']),
    ...(given.role === undefined || given.role === latest.Role ? [] : ['iam:PassRole']),
    ...(provisionedConcurrency ? ['lambda:PutProvisionedConcurrencyConfig'] : []),
    ...(invokes(spec) && probed(session, spec, before) === null ? ['lambda:InvokeFunction'] : []),
  ];
}

const invokes = (spec: Spec): boolean => spec.health.probes.some(({ kind }) => kind === 'invoke');

/** What exists already of the kind that probes will call: policies may allow versions and aliases apart. */
function probed(session: Session, spec: Spec, { split, environments }: BeforeState): string | null {
  if (reachOf(spec) === 'idle') {
    const side = environments?.blue != null ? 'blue' : environments?.green != null ? 'green' : null;
    return side === null ? null : environmentAlias(session.target.alias, side);
  }
  return 'version' in spec.release ? String(spec.release.version) : split.stable;
}
