/** Code and configuration become a published version. */
import {
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  type FunctionCode,
  GetFunctionCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { SluiceError } from '../../../model/errors.js';
import type { FunctionConfiguration, Release, Spec } from '../../../model/spec.js';
import type { Artifacts } from '../../../store/index.js';
import type { BeforeState } from '../../port.js';
import { packingOf, tooLarge } from '../../registry.js';
import { describe, readDescription } from '../../shared/description.js';
import { hasCode } from '../../shared/failures.js';
import { MOST_IN_CALL } from '../kit.js';
import { lambdaVariables } from '../variables.js';
import { call, type Session } from './client.js';
import {
  changes,
  differences,
  type LambdaConfiguration,
  lambdaDigest,
  readConfiguration,
  releaseOf,
  waitUntilUsable,
} from './configuration.js';
import { currentOf } from './current.js';
import { existsAlready } from './errors.js';
import { fenced } from './fenced.js';
import { Late } from './late.js';
import { listVersions, publishVersion } from './versions.js';

/** Rounds of writing `$LATEST` while someone else changes it too. */
const ROUNDS = 12;
/** Updates of the configuration after which the provider evidently keeps another one than it is given. */
const UPDATES = 4;

/** Code as the calls take it, and what tells that $LATEST has it. */
interface Code {
  input: FunctionCode;
  /** CodeSha256 once known: from the start for a zip, from the provider's answer for S3. */
  digest: string | null;
  image: string | null;
}

/**
 * Publishes the release that the spec describes, or finds it: configuration, code, version. Each step is fenced by the
 * function's RevisionId and skipped if it is done, so it may be called again after a lost answer at any point.
 */
export async function publish(
  session: Session,
  artifacts: Artifacts,
  { spec, before, mark, adopted }: { spec: Spec; before: BeforeState; mark: string; adopted?: string | undefined },
): Promise<Release> {
  if ('version' in spec.release) return releaseOf(await waitUntilUsable(session, String(spec.release.version)));
  refuseVariables(spec.configuration);
  const current = 'current' in spec.release ? await currentOf(session, { spec, before }) : null;
  const code = current?.code ?? (await codeOf(session, spec, artifacts));
  const wanted = current?.configuration ?? spec.configuration;
  const earlier = await publishedBefore(session, code, mark);
  if (earlier !== null) return releaseOf(await waitUntilUsable(session, earlier));

  const late = new Late(session, { before, mark, adopted });
  let updated = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const latest = await latestIdle(session, updated > 0);
    if (latest === null) {
      if (current !== null) throw current.gone();
      await create(session, code, spec.configuration);
      updated += 1;
      continue;
    }
    await late.look();
    current?.check(latest);
    const change = changes(latest, wanted);
    if (change !== null) {
      if (updated > UPDATES) throw notKept(session, latest, Object.keys(change));
      late.once('configuration');
      const answer = await fenced(() =>
        call(
          session,
          new UpdateFunctionConfigurationCommand({
            FunctionName: session.target.function,
            ...change,
            RevisionId: latest.RevisionId,
          }),
        ),
      );
      late.spent(answer);
      updated += 1;
      continue;
    }
    if (!(await hasCodeAlready(session, latest, code))) {
      late.once('code');
      const answer = await fenced(() =>
        call(
          session,
          new UpdateFunctionCodeCommand({
            FunctionName: session.target.function,
            ...code.input,
            RevisionId: latest.RevisionId,
          }),
        ),
      );
      late.spent(answer);
      if (answer !== null) refuseOther(code, answer.CodeSha256, session);
      if (answer !== null && code.digest === null && code.image === null) code.digest = answer.CodeSha256 ?? null;
      updated += 1;
      continue;
    }
    const same = await identicalStable(session, latest, before);
    if (same !== null) return same;
    const release = await publishLatest(session, latest, spec.configuration, mark);
    if (release !== null) return release;
  }
  throw new SluiceError(
    'SLUICE_BUSY',
    `${session.target.function} keeps being changed by someone else; its code could not be published`,
  );
}

/** With the values of secrets, which no check before this one has seen. Lambda's own refusal would quote them all. */
function refuseVariables({ environment = {} }: FunctionConfiguration): void {
  const [fault] = lambdaVariables(environment);
  if (fault === undefined) return;
  throw new SluiceError('SLUICE_REFUSED', `${['configuration.environment', ...fault.path].join('.')} ${fault.message}`);
}

/** Lambda reads from S3 after us: what it read must be what was started. It is in $LATEST by then, and is not published. */
function refuseOther({ input, digest }: Code, read: string | undefined, { target }: Session): void {
  if (digest === null || input.S3Key === undefined || read === digest) return;
  throw new SluiceError(
    'SLUICE_ARTIFACT',
    `Lambda read code for ${target.function} from s3://${input.S3Bucket}/${input.S3Key} that does not match its SHA-256: it was changed in the artifact store, and is not published. Start again`,
  );
}

async function codeOf({ target }: Session, spec: Spec, artifacts: Artifacts): Promise<Code> {
  const source = spec.release;
  if ('artifact' in source) {
    const { artifact } = source;
    const shelf = artifacts.of(spec);
    // Hashed each time: what is sent is what was started.
    const bytes = await shelf.read(artifact);
    const digest = lambdaDigest(artifact.sha256);
    if (bytes.length <= MOST_IN_CALL) return { input: { ZipFile: bytes }, digest, image: null };
    const at = await shelf.inS3(artifact);
    const s3 = at !== null && at.region === target.region;
    const why = tooLarge(bytes.length, packingOf('lambda', { s3 }));
    if (!s3 || why !== null) throw new SluiceError('SLUICE_ARTIFACT', why ?? '');
    return { input: { S3Bucket: at.bucket, S3Key: at.key }, digest, image: null };
  }
  if ('s3' in source) {
    const { bucket, key, version } = source.s3;
    return { input: { S3Bucket: bucket, S3Key: key, S3ObjectVersion: version }, digest: null, image: null };
  }
  if ('image' in source) return { input: { ImageUri: source.image }, digest: null, image: source.image };
  throw new SluiceError('SLUICE_ARTIFACT', 'a folder or zip must be packed before it can be deployed');
}

/** The version an earlier try of the same step has published, whose answer was lost. */
export async function publishedBefore(
  session: Session,
  code: Pick<Code, 'digest'>,
  mark: string,
): Promise<string | null> {
  const versions = await listVersions(session).catch((error: unknown) => {
    if (hasCode(error, 'SLUICE_NOT_FOUND')) return [];
    throw error;
  });
  const found = versions.find((version) => readDescription(version.Description).mark === mark);
  if (found?.Version === undefined) return null;
  return code.digest === null || found.CodeSha256 === code.digest ? found.Version : null;
}

async function latestIdle(session: Session, ours: boolean): Promise<LambdaConfiguration | null> {
  try {
    return await waitUntilUsable(session, undefined, ours ? {} : { failedUpdate: 'passes' });
  } catch (error) {
    if (hasCode(error, 'SLUICE_NOT_FOUND')) return null;
    throw error;
  }
}

async function create(session: Session, code: Code, wanted: FunctionConfiguration): Promise<void> {
  const { function: name } = session.target;
  if (wanted.role === undefined || (code.image === null && (!wanted.runtime || !wanted.handler))) {
    throw new SluiceError(
      'SLUICE_NOT_FOUND',
      `function ${name} does not exist; to create it the spec needs configuration.role, and runtime and handler unless it is an image`,
    );
  }
  const input: CreateFunctionCommandInput = {
    FunctionName: name,
    Role: wanted.role,
    Code: code.input,
    PackageType: code.image === null ? 'Zip' : 'Image',
    Runtime: wanted.runtime as CreateFunctionCommandInput['Runtime'],
    Handler: wanted.handler,
    MemorySize: wanted.memory,
    Timeout: wanted.timeout,
    Layers: wanted.layers,
    Description: wanted.description,
    ...(wanted.logFormat === undefined ? {} : { LoggingConfig: { LogFormat: wanted.logFormat } }),
    ...(wanted.environment === undefined ? {} : { Environment: { Variables: wanted.environment } }),
  };
  await call(session, new CreateFunctionCommand(input)).catch((error: unknown) => {
    // An earlier try has created it.
    if (!existsAlready(error)) throw error;
  });
}

async function hasCodeAlready(session: Session, latest: LambdaConfiguration, code: Code): Promise<boolean> {
  if (code.image === null) return code.digest !== null && latest.CodeSha256 === code.digest;
  const { Code } = await call(session, new GetFunctionCommand({ FunctionName: session.target.function }));
  return Code?.ImageUri === code.image || Code?.ResolvedImageUri === code.image;
}

/** Stable, when what would be published is the same code with the same settings. */
export async function identicalStable(
  session: Session,
  latest: LambdaConfiguration,
  before: BeforeState,
): Promise<Release | null> {
  if (before.split.stable === null || before.release?.digest !== latest.CodeSha256) return null;
  const stable = await readConfiguration(session, before.split.stable);
  return stable !== null && differences(stable, latest).length === 0 ? releaseOf(stable) : null;
}

/** Null when $LATEST has changed meanwhile. Errors: SLUICE_BUSY when the version has other code. */
export async function publishLatest(
  session: Session,
  latest: LambdaConfiguration,
  wanted: FunctionConfiguration,
  mark: string,
): Promise<Release | null> {
  const published = await publishVersion(session, latest, describe(wanted.description ?? '', mark));
  if (published === null) return null;
  const ready = await waitUntilUsable(session, published.Version);
  if (ready.CodeSha256 !== latest.CodeSha256) {
    throw new SluiceError(
      'SLUICE_BUSY',
      `version ${published.Version} of ${session.target.function} has digest ${ready.CodeSha256}, but ${latest.CodeSha256} was published`,
    );
  }
  return releaseOf(ready);
}

function notKept(session: Session, latest: LambdaConfiguration, fields: string[]): SluiceError {
  const why = latest.Environment?.Error?.Message;
  return new SluiceError(
    'SLUICE_REFUSED',
    `${session.target.function} does not keep the configuration it is given (${fields.join(', ')})${why === undefined ? '' : `: ${why}`}`,
  );
}
