/** What an undo uses: the spec that made its release live, as the target's ledger names it. */
import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Access } from '../src/authority/index.js';
import { bounded } from '../src/health/bounded.js';
import { SluiceError } from '../src/model/errors.js';
import { companionId } from '../src/model/ids.js';
import { isJson, LARGEST_SPEC } from '../src/model/json.js';
import type { RolloutInput, Target } from '../src/model/spec.js';
import { targetName } from '../src/model/target.js';
import { clean } from '../src/model/text.js';
import { versionOf } from '../src/platforms/registry.js';
import type { Artifacts } from '../src/store/index.js';
import type { KeptEntry, UndoAnswer, UndoRecord } from '../workflows/messages.js';

/** Longest read of the document, in ms: users wait for the release, and without it only the bake is missing, which only warns. */
const READ = 5_000;

interface Where {
  app: string;
  environment: string;
}

/** What was asked with an undo. */
interface UndoRequest {
  /** A release of the ledger; null: the one that the last rollout replaced. */
  to: string | null;
  hold: boolean;
  keepQueue: boolean;
}

/** Of the workflow's argument. Errors: SLUICE_SPEC. */
export function requestOf({ to = null, hold = false, keepQueue = false }: RolloutInput): UndoRequest {
  const version = typeof to === 'number' ? String(to) : to;
  if (version !== null && (typeof version !== 'string' || version === '' || version.length > 300))
    throw new SluiceError('SLUICE_SPEC', 'undo: "to" is the version of a release, such as "3"');
  if (typeof hold !== 'boolean' || typeof keepQueue !== 'boolean')
    throw new SluiceError('SLUICE_SPEC', 'undo: "hold" and "keepQueue" are true or false');
  return { to: version, hold, keepQueue };
}

export interface UndoSpec {
  version: string;
  /** A spec with all defaults, but for the release and the strategy of the undo. */
  spec: RolloutInput;
  /** Why the spec that made the release live is not known; null when it is. */
  unknown: string | null;
}

/**
 * The spec of an undo. Someone else may have answered in the companion's place, so only what workers have sealed counts, if
 * they have a key. Errors: SLUICE_SPEC if there is nothing to roll back to, SLUICE_ACCESS for a record that is not ours,
 * SLUICE_TARGET for a release of another place.
 */
export async function undoOf(
  { client, access, artifacts }: { client: Client; access: Access; artifacts: Artifacts },
  { to, ...at }: Where & { to: string | null },
): Promise<UndoSpec> {
  const { record, entry } = await askCompanion(client, at, to);
  await access.believe({ ...record, ...at });
  const version = to ?? record.version;
  if (entry === null && version !== record.version) throw notThere(at, version);
  const sealed = entry !== null && (await access.isSealed({ ...entry, ...at }));
  if (!sealed && version !== record.version) {
    throw new SluiceError(
      'SLUICE_ACCESS',
      `the ledger's entry of release ${version} was not written by a rollout, so it is not used`,
    );
  }
  const known = sealed ? await specOf(artifacts, at, record, entry) : 'no Sluice rollout made it live';
  const release = { version: versionOf((record.spec.target as Target).platform, version) };
  if (typeof known !== 'string') return { version, spec: { ...known, release }, unknown: null };
  const why = `the spec that made release ${clean(version, 60)} live is not known (${known}): it gets the traffic, but nothing watches it`;
  return { version, spec: { ...bare(record.spec), release }, unknown: why };
}

async function askCompanion(client: Client, at: Where, to: string | null): Promise<UndoAnswer> {
  const answer = await client.workflow
    .getHandle(companionId(at.app, at.environment))
    .query<UndoAnswer | null, [string | null]>('undoRecord', to)
    .catch((error: unknown) => {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    });
  if (answer === null) throw to === null ? nothing(at) : notThere(at, to);
  return answer;
}

function nothing({ app, environment }: Where): SluiceError {
  return new SluiceError(
    'SLUICE_SPEC',
    `there is nothing to undo at ${app}/${environment}: nothing was replaced, or the rollback window is over. \`sluice releases ${app}/${environment}\` shows which releases still exist; roll back with \`sluice undo ${app}/${environment} --to RELEASE\``,
  );
}

function notThere({ app, environment }: Where, version: string): SluiceError {
  return new SluiceError(
    'SLUICE_SPEC',
    `release ${clean(version, 60)} is not in the ledger of ${app}/${environment}; \`sluice releases ${app}/${environment}\` shows which are`,
  );
}

/** The spec that made it live; else why it is not known. */
async function specOf(
  artifacts: Artifacts,
  { app, environment }: Where,
  record: UndoRecord,
  entry: KeptEntry,
): Promise<RolloutInput | string> {
  const target = record.spec.target as Target;
  if (entry.spec === null) return 'it was not stored';
  const { spec: sha256 } = entry;
  let found: unknown;
  try {
    found = JSON.parse(
      await bounded(new AbortController().signal, READ, () => artifacts.of({ app, target }).getDocument(sha256)),
    );
  } catch (error) {
    return clean(error instanceof Error ? error.message : error, 200);
  }
  if (!isJson(found, LARGEST_SPEC) || found.app !== app || found.environment !== environment)
    return 'it is not a spec of this target';
  const was = placeOf(found.target as Target);
  const is = placeOf(target);
  if (was !== is) {
    throw new SluiceError(
      'SLUICE_TARGET',
      `release ${entry.version} was live at ${was}, and ${app}/${environment} is now at ${is}: it cannot receive traffic there. Start a rollout of its code`,
    );
  }
  // Reached as it is today: a role may have been replaced since.
  return { ...found, target };
}

function placeOf(target: Target): string {
  return `${target.platform} ${target.account}@${target.region}/${targetName(target)}`;
}

/** Where the target is and how long things may take there, and nothing of the health of a release that it does not know. */
function bare(spec: RolloutInput): RolloutInput {
  const { environment: _own, ...configuration } = spec.configuration as Record<string, unknown>;
  const health = { ...(spec.health as object), probes: [], metrics: [], alarms: [] };
  return { ...spec, configuration, health, allowUnjudged: true };
}
