/** Deletes old versions that nothing refers to. */
import { GetPolicyCommand, ListEventSourceMappingsCommand } from '@aws-sdk/client-lambda';
import { mark } from '../../../model/ids.js';
import type { Spec } from '../../../model/spec.js';
import { readDescription, sameTarget } from '../../shared/description.js';
import { hasCode } from '../../shared/failures.js';
import { dropCapacity, readCapacity } from './capacity.js';
import { call, type Session } from './client.js';
import type { LambdaConfiguration } from './configuration.js';
import { aliasesByVersion, deleteVersion, listVersions } from './versions.js';

interface Retired {
  deleted: string[];
  kept: { version: string; why: string }[];
}

/** Deletes old versions: not the newest `spec.retain`, not those in `keep`, not what anything refers to. */
export async function retire(session: Session, { spec, keep }: { spec: Spec; keep: string[] }): Promise<Retired> {
  const versions = await listVersions(session);
  const aliases = await aliasesByVersion(session);
  const deleted: string[] = [];
  const kept: Retired['kept'] = [];
  for (const [age, version] of versions.entries()) {
    const number = version.Version ?? '';
    const why = keep.includes(number)
      ? 'a rollback window'
      : aliases.has(number)
        ? `alias ${aliases.get(number)?.join(', ')}`
        : age < spec.retain
          ? `one of the newest ${spec.retain}`
          : await referredToBy(session, version, spec);
    if (why !== null) kept.push({ version: number, why });
    else if ((await deleteVersion(session, number)) === 'deleted') deleted.push(number);
    else kept.push({ version: number, why: 'the provider says that something refers to it' });
  }
  return { deleted, kept };
}

/** What besides an alias needs the version; null when nothing does. What cannot be read counts as a reference. */
async function referredToBy(session: Session, version: LambdaConfiguration, spec: Spec): Promise<string | null> {
  const number = version.Version ?? '';
  const ours = readDescription(version.Description).mark;
  const target = mark(spec.app, spec.environment, 'any', 'any');
  if (ours !== null && !sameTarget(ours, target)) return `a release of another target (${ours})`;
  try {
    const { EventSourceMappings } = await call(
      session,
      new ListEventSourceMappingsCommand({ FunctionName: `${session.target.function}:${number}` }),
    );
    const pinned = (EventSourceMappings ?? []).find((mapping) => mapping.FunctionArn?.endsWith(`:${number}`));
    if (pinned !== undefined) return `event source mapping ${pinned.UUID}`;
    if (await hasPolicy(session, number)) return 'a resource policy that lets someone invoke it';
    if ((await readCapacity(session, number)) === null) return null;
    if (ours === null) return 'provisioned concurrency';
    // Our own, of a release that nothing refers to any more: it only costs.
    await dropCapacity(session, number);
    return null;
  } catch (error) {
    if (hasCode(error, 'SLUICE_PERMISSION', 'SLUICE_REFUSED')) return `unknown: ${error.message}`;
    throw error;
  }
}

async function hasPolicy(session: Session, version: string): Promise<boolean> {
  try {
    await call(session, new GetPolicyCommand({ FunctionName: session.target.function, Qualifier: version }));
    return true;
  } catch (error) {
    if (hasCode(error, 'SLUICE_NOT_FOUND')) return false;
    throw error;
  }
}
