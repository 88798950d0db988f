/** `release: {current: true}`: the code that is live behind the alias, with the configuration of the spec. */
import type { FunctionCode } from '@aws-sdk/client-lambda';
import { SluiceError } from '../../../model/errors.js';
import type { FunctionConfiguration, Spec } from '../../../model/spec.js';
import type { BeforeState, Finding } from '../../port.js';
import { refuse, warn } from '../../shared/findings.js';
import type { Session } from './client.js';
import {
  configurationOf,
  differences,
  type LambdaConfiguration,
  readConfiguration,
  unreachable,
} from './configuration.js';
import type { Observed } from './observed.js';
import { writesLatest } from './release-kinds.js';

/** How the live code is published with another configuration. */
interface Current {
  /** It is in `$LATEST` already, or nothing is published: no call carries it. */
  code: { input: FunctionCode; digest: string; image: null };
  /** All that a spec can set. Holds values: it must not leave the activity. */
  configuration: FunctionConfiguration;
  /** Errors: SLUICE_TARGET when publishing `$LATEST` would release more than the configuration. */
  check(latest: LambdaConfiguration): void;
  /** The error for a function that is gone. */
  gone(): SluiceError;
}

/** What the release runs with: what the live version has, but for what the spec sets. */
function wantedFrom(live: LambdaConfiguration, { configuration }: Spec): FunctionConfiguration {
  return { ...configurationOf(live), ...configuration };
}

/** What the release runs with beside what it finds in `$LATEST`, or in the version that it names. */
export function givenTo(spec: Spec, stable: LambdaConfiguration | null): FunctionConfiguration {
  if (!writesLatest(spec)) return {};
  return 'current' in spec.release && stable !== null ? wantedFrom(stable, spec) : spec.configuration;
}

/** Whether the live code can be released with the configuration of the spec, and what else of `$LATEST` that changes. Pure. */
export function checkCurrent({ target }: Session, spec: Spec, { latest, stable }: Observed): Finding[] {
  const { function: fn, alias } = target;
  if (latest === null) return [];
  if (stable === null) {
    return [
      refuse(
        'SLUICE_TARGET',
        `${fn}:${alias} does not exist, so no code is live that release.current could release. Release $LATEST first (release: {latest: true}), or a folder`,
      ),
    ];
  }
  const why = obstacle(fn, spec, stable, latest);
  if (why !== null) return [refuse('SLUICE_TARGET', why)];
  const set = Object.keys(spec.configuration);
  const back = differences(stable, latest).filter((name) => name !== 'logging' && !set.includes(name));
  if (back.length === 0) return [];
  return [
    warn(
      'LATEST_DIFFERS',
      `$LATEST of ${fn} differs from the live version ${stable.Version} in ${back.join(', ')}, which the spec does not set: the release takes that from version ${stable.Version}, and $LATEST gets it too`,
    ),
  ];
}

/** Errors: SLUICE_TARGET when nothing is live any more. */
export async function currentOf(
  session: Session,
  { spec, before }: { spec: Spec; before: BeforeState },
): Promise<Current> {
  const { function: fn, alias } = session.target;
  const { stable } = before.split;
  const live = stable === null ? null : await readConfiguration(session, stable);
  const gone = () => new SluiceError('SLUICE_TARGET', `version ${stable} of ${fn}, live behind ${alias}, is gone`);
  if (live === null) throw gone();
  return {
    code: { input: {}, digest: live.CodeSha256 ?? '', image: null },
    configuration: wantedFrom(live, spec),
    check: (latest) => {
      const why = obstacle(fn, spec, live, latest);
      if (why !== null) throw new SluiceError('SLUICE_TARGET', why);
    },
    gone,
  };
}

/** Versions are published only from `$LATEST`, so its code must be the live one. Null if nothing stops it. */
function obstacle(fn: string, spec: Spec, live: LambdaConfiguration, latest: LambdaConfiguration): string | null {
  const { Version: version } = live;
  if (latest.CodeSha256 !== live.CodeSha256) {
    return `$LATEST of ${fn} has other code (${latest.CodeSha256}) than the live version ${version} (${live.CodeSha256}), and Lambda publishes versions only from $LATEST: release.current would release that code too. To release it, \`release: {latest: true}\`; to release the live code with this configuration, give its source (folder, zip, s3 or image) instead of current`;
  }
  const others = unreachable(live, latest);
  if (others.length > 0) {
    return `$LATEST of ${fn} differs from the live version ${version} in ${others.join(', ')}, which a spec cannot set: release.current would release that too. Make them equal on the function, or release it first (release: {latest: true})`;
  }
  if (live.Environment?.Error !== undefined && spec.configuration.environment === undefined) {
    const { Message, ErrorCode } = live.Environment.Error;
    return `AWS does not show the environment variables of the live version ${version} of ${fn} (${Message ?? ErrorCode}), so they cannot be kept. Allow the worker's role to use the key, or write configuration.environment`;
  }
  return null;
}
