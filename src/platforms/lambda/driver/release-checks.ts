/** Whether Lambda would take the release: its size, its runtime, and whether anything may call it. */
import { GetFunctionCommand, Runtime } from '@aws-sdk/client-lambda';
import type { Spec } from '../../../model/spec.js';
import { nearest } from '../../../spec/nearest.js';
import type { Artifacts } from '../../../store/index.js';
import type { Finding } from '../../port.js';
import { megabytes, packingOf, tooLarge } from '../../registry.js';
import { optional, refuse, warn } from '../../shared/findings.js';
import { MOST_IN_CALL } from '../kit.js';
import { call, type Session } from './client.js';

/** A package that is sent in a call has a limit; one that Lambda reads from the artifact store in S3 has a higher one. */
export async function checkPackage({ target }: Session, artifacts: Artifacts, spec: Spec): Promise<Finding[]> {
  const { release } = spec;
  if (!('artifact' in release) || release.artifact.bytes <= MOST_IN_CALL) return [];
  const shelf = artifacts.of(spec);
  const s3 = (await shelf.regionInS3()) === target.region;
  const { bytes } = release.artifact;
  const why = tooLarge(bytes, packingOf('lambda', { s3 }));
  if (why !== null) return [refuse('SLUICE_ARTIFACT', why)];
  const said = `the zip has ${megabytes(bytes)}, more than a call carries: Lambda reads it from ${shelf.address} itself`;
  return [warn('CODE_FROM_S3', `${said}, for which ${target.roleArn ?? "the worker's role"} needs s3:GetObject there`)];
}

/** AWS adds runtimes more often than this SDK is renewed, so an unknown one is no more than a warning. Pure. */
export function checkRuntime({ release, configuration: { runtime } }: Spec): Finding[] {
  const all: string[] = Object.values(Runtime);
  if (runtime === undefined || 'version' in release || all.includes(runtime)) return [];
  const meant = runtimeMeant(runtime, all);
  return [
    warn(
      'UNKNOWN_RUNTIME',
      `configuration.runtime: unknown runtime ${runtime}${meant === null ? ` (known: ${all.join(', ')})` : ` (did you mean "${meant}"?)`}; Lambda will refuse it unless it is newer than this version of Sluice`,
    ),
  ];
}

/** The known runtime of the language and, as far as possible, the version that was written; null if its language is unknown. */
function runtimeMeant(runtime: string, all: string[]): string | null {
  const written = squeezed(runtime);
  const begun = languageOf(written);
  // `nodejs` and `provided` alone are runtimes of long ago, and `-edge` is none of Lambda's own.
  const known = all.filter((each) => /\d/.test(each) && !each.endsWith('-edge'));
  const languages = [...new Set(known.map(languageOf))];
  const language =
    languages.find((each) => each === begun) ??
    (begun === '' ? undefined : languages.find((each) => each.startsWith(begun))) ??
    nearest(begun, languages);
  const newestFirst = known
    .filter((each) => languageOf(each) === language)
    .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  return (
    newestFirst.find((each) => digitsOf(each) === digitsOf(written)) ??
    newestFirst.find((each) => squeezed(each).startsWith(written)) ??
    nearest(runtime, newestFirst) ??
    newestFirst[0] ??
    null
  );
}

function squeezed(runtime: string): string {
  return runtime.toLowerCase().replace(/[^a-z0-9]/g, '');
}

function languageOf(runtime: string): string {
  return /^[a-z]*/.exec(runtime)?.[0] ?? '';
}

function digitsOf(runtime: string): string {
  return runtime.replace(/\D/g, '');
}

/**
 * A reserved concurrency of 0 throttles every call, of users and probes alike ("Configuring reserved concurrency"). A rollout whose
 * probes call the function could never end well.
 */
export async function checkReserved(session: Session, { health }: Spec): Promise<Finding[]> {
  return optional('reserved concurrency', async () => {
    const { function: fn } = session.target;
    const { Concurrency } = await call(session, new GetFunctionCommand({ FunctionName: fn }));
    if (Concurrency?.ReservedConcurrentExecutions !== 0) return [];
    const said = `${fn} has a reserved concurrency of 0: Lambda throttles every call of it`;
    const cure = `\`aws lambda delete-function-concurrency --function-name ${fn}\` lets it run again`;
    const calling = health.probes.filter(({ kind }) => kind === 'invoke').map(({ name }) => name);
    return calling.length === 0
      ? [warn('RESERVED_CONCURRENCY', `${said}; ${cure}`)]
      : [refuse('SLUICE_TARGET', `${said}, so that the probes (${calling.join(', ')}) could never pass; ${cure}`)];
  });
}
