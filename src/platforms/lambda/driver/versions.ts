/** The published versions of a function: listed, published, deleted. */
import {
  DeleteFunctionCommand,
  ListAliasesCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
} from '@aws-sdk/client-lambda';
import { SluiceError } from '../../../model/errors.js';
import { hasCode } from '../../shared/failures.js';
import { call, type Session } from './client.js';
import type { LambdaConfiguration } from './configuration.js';
import { fenced } from './fenced.js';

/** A version number, as Lambda gives them. */
function isVersion(version: string): boolean {
  return /^[1-9]\d*$/.test(version);
}

/** All published versions, newest first. */
export async function listVersions(session: Session): Promise<LambdaConfiguration[]> {
  const found: LambdaConfiguration[] = [];
  for (let marker: string | undefined; ; ) {
    const page = await call(
      session,
      new ListVersionsByFunctionCommand({ FunctionName: session.target.function, Marker: marker, MaxItems: 50 }),
    );
    found.push(...(page.Versions ?? []));
    marker = page.NextMarker;
    if (!marker) break;
  }
  return found
    .filter((version) => isVersion(version.Version ?? ''))
    .sort((a, b) => Number(b.Version) - Number(a.Version));
}

/**
 * Publishes `$LATEST` as it was read. Null when it has changed meanwhile. Unchanged since the last version it is that one again
 * (PublishVersion's rule).
 */
export async function publishVersion(
  session: Session,
  latest: LambdaConfiguration,
  description: string,
): Promise<(LambdaConfiguration & { Version: string }) | null> {
  const { CodeSha256, RevisionId } = latest;
  const asked = { FunctionName: session.target.function, CodeSha256, RevisionId, Description: description };
  const published = await fenced(() => call(session, new PublishVersionCommand(asked)));
  return published?.Version === undefined ? null : { ...published, Version: published.Version };
}

/** Which aliases refer to a version, as primary or by weight, by version. */
export async function aliasesByVersion(session: Session): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (let marker: string | undefined; ; ) {
    const page = await call(
      session,
      new ListAliasesCommand({ FunctionName: session.target.function, Marker: marker, MaxItems: 50 }),
    );
    for (const alias of page.Aliases ?? []) {
      const versions = [
        alias.FunctionVersion ?? '',
        ...Object.keys(alias.RoutingConfig?.AdditionalVersionWeights ?? {}),
      ];
      for (const version of versions) found.set(version, [...(found.get(version) ?? []), alias.Name ?? '']);
    }
    marker = page.NextMarker;
    if (!marker) return found;
  }
}

/**
 * Deletes one published version: the only place that may call DeleteFunction, which without a qualifier deletes the
 * function with all its versions and aliases. `refused`: something refers to it.
 */
export async function deleteVersion(session: Session, version: string): Promise<'deleted' | 'refused'> {
  if (!isVersion(version)) {
    throw new SluiceError(
      'SLUICE_TARGET',
      `"${version}" is not a published version of ${session.target.function}; not deleted`,
    );
  }
  try {
    await call(session, new DeleteFunctionCommand({ FunctionName: session.target.function, Qualifier: version }));
    return 'deleted';
  } catch (error) {
    if (hasCode(error, 'SLUICE_NOT_FOUND')) return 'deleted';
    if (hasCode(error, 'SLUICE_BUSY') && /alias|referenc/i.test(error.message)) return 'refused';
    throw error;
  }
}
