/** A function's configuration: read, compared with a spec, and written. */
import type {
  FunctionConfiguration as LambdaConfiguration,
  LoggingConfig,
  UpdateFunctionConfigurationCommandInput,
} from '@aws-sdk/client-lambda';
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { SluiceError } from '../../../model/errors.js';
import type { FunctionConfiguration, Release } from '../../../model/spec.js';
import { hasCode } from '../../shared/failures.js';
import { nextDelay, pause } from '../../shared/waiting.js';
import { call, type Session } from './client.js';

export type { LambdaConfiguration };

/** A version's configuration, or that of $LATEST without `version`. Null when the function or the version does not exist. */
export async function readConfiguration(session: Session, version?: string): Promise<LambdaConfiguration | null> {
  try {
    return await call(
      session,
      new GetFunctionConfigurationCommand({ FunctionName: session.target.function, Qualifier: version }),
    );
  } catch (error) {
    if (hasCode(error, 'SLUICE_NOT_FOUND')) return null;
    throw error;
  }
}

/**
 * Waits until $LATEST may be updated, or until a version may be invoked ("Lambda function states"; a SnapStart version is
 * Pending until its snapshot exists). Fails at once on a failed state, with the provider's reason: SLUICE_REFUSED.
 * Inactive is usable: the next invocation wakes it. `failedUpdate: 'passes'`: an update that failed before ours is no
 * obstacle, the next one replaces it.
 */
export async function waitUntilUsable(
  session: Session,
  version?: string,
  options: { failedUpdate?: 'passes' } = {},
): Promise<LambdaConfiguration> {
  for (let delay: number | null = null; ; ) {
    const found = await readConfiguration(session, version);
    const name = version === undefined ? session.target.function : `${session.target.function}:${version}`;
    if (found === null) throw new SluiceError('SLUICE_NOT_FOUND', `${name} does not exist (any more)`);
    if (found.State === 'Failed' || found.State === 'Deleting') {
      throw new SluiceError(
        'SLUICE_REFUSED',
        `${name} is ${found.State}: ${reason(found.StateReasonCode, found.StateReason)}`,
      );
    }
    if (found.LastUpdateStatus === 'Failed' && options.failedUpdate !== 'passes') {
      throw new SluiceError(
        'SLUICE_REFUSED',
        `the update of ${name} failed: ${reason(found.LastUpdateStatusReasonCode, found.LastUpdateStatusReason)}`,
      );
    }
    const pending =
      found.State === 'Pending' || found.State === 'Deactivating' || found.LastUpdateStatus === 'InProgress';
    if (!pending) return found;
    delay = nextDelay(delay);
    await pause(session.ctx, delay);
  }
}

/** The fields of an update that the spec asks for and that $LATEST does not have. Null when there is nothing to change. */
export function changes(
  latest: LambdaConfiguration,
  wanted: FunctionConfiguration,
): Omit<UpdateFunctionConfigurationCommandInput, 'FunctionName'> | null {
  const differs: [boolean, Omit<UpdateFunctionConfigurationCommandInput, 'FunctionName'>][] = [
    [wanted.runtime !== undefined && wanted.runtime !== latest.Runtime, { Runtime: wanted.runtime as never }],
    [wanted.handler !== undefined && wanted.handler !== latest.Handler, { Handler: wanted.handler }],
    [wanted.role !== undefined && wanted.role !== latest.Role, { Role: wanted.role }],
    [wanted.memory !== undefined && wanted.memory !== latest.MemorySize, { MemorySize: wanted.memory }],
    [wanted.timeout !== undefined && wanted.timeout !== latest.Timeout, { Timeout: wanted.timeout }],
    [
      wanted.environment !== undefined && stable(wanted.environment) !== stable(latest.Environment?.Variables ?? {}),
      { Environment: { Variables: wanted.environment } },
    ],
    [wanted.layers !== undefined && stable(wanted.layers) !== stable(layersOf(latest)), { Layers: wanted.layers }],
    [
      wanted.description !== undefined && wanted.description !== (latest.Description ?? ''),
      { Description: wanted.description },
    ],
    [
      wanted.logFormat !== undefined && wanted.logFormat !== logFormatOf(latest),
      { LoggingConfig: loggingWith(latest, wanted.logFormat) },
    ],
  ];
  const needed = differs.filter(([different]) => different).map(([, change]) => change);
  return needed.length === 0 ? null : Object.assign({}, ...needed);
}

/**
 * What makes two versions behave the same besides their code. Description and identity are left out: a version's
 * description holds our mark.
 */
function settings(of: LambdaConfiguration): Record<string, unknown> {
  return {
    runtime: of.Runtime ?? null,
    handler: of.Handler ?? null,
    role: of.Role ?? null,
    memory: of.MemorySize ?? null,
    timeout: of.Timeout ?? null,
    environment: of.Environment?.Variables ?? {},
    layers: layersOf(of),
    package: of.PackageType ?? 'Zip',
    architectures: of.Architectures ?? ['x86_64'],
    deadLetterQueue: of.DeadLetterConfig?.TargetArn ?? null,
    tracing: of.TracingConfig?.Mode ?? 'PassThrough',
    subnets: [...(of.VpcConfig?.SubnetIds ?? [])].sort(),
    securityGroups: [...(of.VpcConfig?.SecurityGroupIds ?? [])].sort(),
    storage: of.EphemeralStorage?.Size ?? 512,
    fileSystems: of.FileSystemConfigs ?? [],
    key: of.KMSKeyArn ?? null,
    image: of.ImageConfigResponse?.ImageConfig ?? null,
    snapStart: of.SnapStart?.ApplyOn ?? 'None',
    logging: of.LoggingConfig ?? null,
  };
}

/** What a version runs with, as a spec would ask for it. Holds the values of its variables: it must not leave the activity. */
export function configurationOf(of: LambdaConfiguration): FunctionConfiguration {
  return {
    ...(of.Runtime === undefined ? {} : { runtime: of.Runtime }),
    ...(of.Handler === undefined ? {} : { handler: of.Handler }),
    ...(of.Role === undefined ? {} : { role: of.Role }),
    ...(of.MemorySize === undefined ? {} : { memory: of.MemorySize }),
    ...(of.Timeout === undefined ? {} : { timeout: of.Timeout }),
    environment: of.Environment?.Variables ?? {},
    layers: layersOf(of),
    logFormat: logFormatOf(of),
  };
}

/** Names of the settings in which two configurations differ and that no spec can set. */
export function unreachable(a: LambdaConfiguration, b: LambdaConfiguration): string[] {
  const settable = ['runtime', 'handler', 'role', 'memory', 'timeout', 'environment', 'layers', 'logging'];
  const groups = a.LoggingConfig?.LogGroup === b.LoggingConfig?.LogGroup ? [] : ['log group'];
  return [...differences(a, b).filter((name) => !settable.includes(name)), ...groups];
}

/** Names of the settings in which two configurations differ; empty when both behave the same, given the same code. */
export function differences(a: LambdaConfiguration, b: LambdaConfiguration): string[] {
  const [left, right] = [settings(a), settings(b)];
  return Object.keys(left).filter((name) => stable(left[name]) !== stable(right[name]));
}

/** Without ConfigSha256: a digest over the environment's values lets who reads it in the history try what they might be. */
export function releaseOf(version: LambdaConfiguration): Release {
  return {
    version: version.Version ?? '',
    digest: version.CodeSha256 ?? '',
  };
}

/** Lambda's CodeSha256 of a zip: base64 of the SHA-256 that an artifact has in hex. */
export function lambdaDigest(sha256: string): string {
  return Buffer.from(sha256, 'hex').toString('base64');
}

/** Text is what a function has that says nothing ("Configuring JSON and plain text log formats"). */
export function logFormatOf(of: LambdaConfiguration): 'JSON' | 'Text' {
  return of.LoggingConfig?.LogFormat === 'JSON' ? 'JSON' : 'Text';
}

/** Levels exist for JSON only, and the log group stays as it is. */
function loggingWith(latest: LambdaConfiguration, format: 'JSON' | 'Text' | undefined): LoggingConfig {
  const { LogGroup } = latest.LoggingConfig ?? {};
  return { LogFormat: format, ...(LogGroup === undefined ? {} : { LogGroup }) };
}

function layersOf(of: LambdaConfiguration): string[] {
  return (of.Layers ?? []).map((layer) => layer.Arn ?? '');
}

function reason(code: string | undefined, text: string | undefined): string {
  return [code, text].filter((part) => part !== undefined && part !== '').join(': ') || 'the provider gives no reason';
}

/** JSON with sorted keys. */
function stable(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
