/**
 * `$LATEST` is kept as a published version before a release writes it, and restored from there. Only if the spec lets callers
 * of the bare name through: for them it is production.
 */
import {
  GetFunctionCodeSigningConfigCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { SluiceError } from '../../../model/errors.js';
import type { FunctionConfiguration, Spec } from '../../../model/spec.js';
import type { BeforeState, Finding, RestoreArgs } from '../../port.js';
import { describe, readDescription, sameRun } from '../../shared/description.js';
import { hasCode } from '../../shared/failures.js';
import { refuse } from '../../shared/findings.js';
import { MOST_IN_CALL } from '../kit.js';
import { heedMark } from './alias.js';
import { call, type Session } from './client.js';
import { aws } from './commands.js';
import {
  changes,
  configurationOf,
  differences,
  type LambdaConfiguration,
  lambdaDigest,
  readConfiguration,
  waitUntilUsable,
} from './configuration.js';
import { fenced } from './fenced.js';
import { fieldsWritten, readsFromS3, writesCode } from './release-kinds.js';
import { codeOfVersion, digestIn } from './version-code.js';
import { listVersions, publishVersion } from './versions.js';

/** Rounds of writing `$LATEST` while someone else changes it too. */
const ROUNDS = 12;

/** If `$LATEST` could not be restored, no caller is let through. */
export async function checkPutBack(session: Session, spec: Spec, latest: LambdaConfiguration): Promise<Finding[]> {
  const { function: fn } = session.target;
  const found: Finding[] = [];
  const cannot = (why: string) =>
    found.push(refuse('SLUICE_BYPASS', `allowBypass is refused: $LATEST of ${fn} could not be restored, ${why}`));
  if (latest.PackageType !== 'Image' && (latest.CodeSize ?? 0) > MOST_IN_CALL) {
    cannot('since its code is larger than the 50 MB that a call may carry. Move the callers to the alias');
  }
  if (fieldsWritten(spec).includes('environment') && latest.Environment?.Error !== undefined) {
    cannot(
      `since AWS does not show its environment variables (${latest.Environment.Error.Message ?? latest.Environment.Error.ErrorCode}). Allow the worker to use the key, or move the callers to the alias`,
    );
  }
  if (latest.PackageType !== 'Image' && (await takesSignedCode(session))) {
    cannot('since the function accepts only signed code. Move the callers to the alias');
  }
  return found;
}

async function takesSignedCode(session: Session): Promise<boolean> {
  const asked = new GetFunctionCodeSigningConfigCommand({ FunctionName: session.target.function });
  const { CodeSigningConfigArn: arn = '' } = await call(session, asked);
  return arn !== '';
}

/**
 * Publishes what `$LATEST` is; if it is unchanged since the last version, that one keeps it (PublishVersion's rule). Its code
 * is fetched once, so that what could not be restored is not changed. Errors: SLUICE_BUSY, and those of `codeOfVersion`.
 */
export async function keepLatest(
  session: Session,
  { before, mark }: { before: BeforeState; mark: string },
): Promise<BeforeState> {
  await heedMark(session);
  for (let round = 0; round < ROUNDS; round += 1) {
    const latest = await waitUntilUsable(session, undefined, { failedUpdate: 'passes' });
    const published = await publishVersion(session, latest, describe(latest.Description ?? '', mark));
    if (published === null) continue;
    await codeOfVersion(session, published);
    return { ...before, latest: published.Version };
  }
  throw busy(session, 'it could not be kept');
}

/**
 * Gives `$LATEST` the code of the version that kept it, and the parts of its configuration that the spec sets, each write
 * fenced by the RevisionId. Always writes, so that a late attempt to deploy finds its revision spent. Someone else's later
 * changes stay, unless `force`. Returns what a person should know, also that AWS refuses it for good.
 */
export async function putLatestBack(session: Session, args: RestoreArgs): Promise<string[]> {
  const { latest: version } = args.before;
  if (version === undefined) return [];
  try {
    return await writeBack(session, version, args);
  } catch (error) {
    // Tried again it would be refused again, and the rollout would never end. Its traffic is back.
    if (!hasCode(error, 'SLUICE_PERMISSION', 'SLUICE_REFUSED')) throw error;
    const { function: fn } = session.target;
    return [
      `$LATEST of ${fn} could not be restored, and its callers may still run the release: ${error.message}. Version ${version} is what it was; \`${aws(session, 'get-function', `--function-name ${fn} --qualifier ${version}`)}\` gives its code`,
    ];
  }
}

async function writeBack(session: Session, version: string, args: RestoreArgs): Promise<string[]> {
  const { spec } = args;
  const { function: fn } = session.target;
  let written = false;
  for (let round = 0; round < ROUNDS; round += 1) {
    const kept = await readConfiguration(session, version);
    if (kept === null) {
      return [
        `version ${version} of ${fn}, which kept what $LATEST was, does not exist any more: $LATEST stays as it is`,
      ];
    }
    const latest = await waitUntilUsable(session, undefined, written ? {} : { failedUpdate: 'passes' });
    if (!args.force && !(await isOurs(session, latest, kept, args))) {
      return [
        `$LATEST of ${fn} was changed by someone else during the rollout and stays as it is; version ${version} is what it was before`,
      ];
    }
    const change = configurationBack(latest, kept, spec);
    if (change !== null || !written) {
      const asked = change ?? { Timeout: latest.Timeout };
      const { RevisionId } = latest;
      const answer = await fenced(() =>
        call(session, new UpdateFunctionConfigurationCommand({ FunctionName: fn, ...asked, RevisionId })),
      );
      written ||= answer !== null;
      continue;
    }
    if (latest.CodeSha256 === kept.CodeSha256) return [`$LATEST of ${fn} is restored to version ${version}`];
    const code = await codeOfVersion(session, kept);
    const { RevisionId } = latest;
    await fenced(() =>
      call(
        session,
        new UpdateFunctionCodeCommand({ FunctionName: fn, ...code, Architectures: kept.Architectures, RevisionId }),
      ),
    );
  }
  throw busy(session, 'it could not be restored');
}

/** The fields that deploying may have changed, as the version has them. Null: they are all there. */
function configurationBack(latest: LambdaConfiguration, kept: LambdaConfiguration, spec: Spec) {
  const written = fieldsWritten(spec);
  const all: FunctionConfiguration = {
    ...configurationOf(kept),
    description: readDescription(kept.Description).text,
  };
  const asked = Object.entries(all).filter(([field, value]) => written.includes(field) && value !== undefined);
  const change = changes(latest, Object.fromEntries(asked));
  // Levels go with the format, and are the version's too.
  return change?.LoggingConfig === undefined ? change : { ...change, LoggingConfig: kept.LoggingConfig };
}

/** The setting that each field of the spec changes, as `differences` names it. */
const SETTINGS: Partial<Record<keyof FunctionConfiguration, string>> = { logFormat: 'logging' };

/** Whether `$LATEST` is what it was, what the release has made of it, or half of it. */
async function isOurs(
  session: Session,
  latest: LambdaConfiguration,
  kept: LambdaConfiguration,
  { spec, mark }: RestoreArgs,
): Promise<boolean> {
  const asked = fieldsWritten(spec).map((field) => SETTINGS[field as keyof FunctionConfiguration] ?? field);
  if (differences(latest, kept).some((name) => !asked.includes(name))) return false;
  if (latest.CodeSha256 === kept.CodeSha256) return true;
  // Deploying writes no code.
  if (!writesCode(spec)) return false;
  if (latest.CodeSha256 === digestOf(spec)) return true;
  if (!readsFromS3(spec)) return false;
  // What Lambda reads from S3 is known once it has read it, and may be something else than the artifact was. Published, it is the
  // version's; before that it is nobody's that could be known.
  const published = (await listVersions(session)).filter(
    ({ Version, Description }) =>
      Number(Version) > Number(kept.Version) && sameRun(readDescription(Description).mark, mark),
  );
  return published.length === 0 || published.some(({ CodeSha256 }) => CodeSha256 === latest.CodeSha256);
}

function digestOf({ release }: Spec): string | null {
  if ('artifact' in release) return lambdaDigest(release.artifact.sha256);
  return 'image' in release ? (digestIn(release.image) ?? null) : null;
}

function busy(session: Session, what: string): SluiceError {
  return new SluiceError(
    'SLUICE_BUSY',
    `$LATEST of ${session.target.function} keeps being changed by someone else; ${what}`,
  );
}
