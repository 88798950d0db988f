/** Moving a caller changes what it runs unless the alias and `$LATEST` are the same. */
import { SluiceError } from '../../../../model/errors.js';
import { parseMark, rolloutId } from '../../../../model/ids.js';
import type { MoveStep, Moving } from '../../../../model/moving.js';
import type { Spec } from '../../../../model/spec.js';
import { readDescription } from '../../../shared/description.js';
import { say } from '../../../shared/splits.js';
import { type Alias, readAlias, writeAlias } from '../alias.js';
import type { Session } from '../client.js';
import { address } from '../commands.js';
import { differences, type LambdaConfiguration, readConfiguration, waitUntilUsable } from '../configuration.js';
import { publishLatest } from '../publish.js';
import { listVersions } from '../versions.js';
import type { Planned } from './step.js';

/** What is at the target. */
export interface Same {
  /** ARN of the bare function. */
  arn: string;
  /** What makes the two the same; none: they are. */
  steps: Planned[];
}

/** A run that does what was shown. */
export interface Run {
  mark: string;
  /** What was shown. */
  steps: MoveStep[];
}

/** Errors: SLUICE_TARGET where the two differ and may not be made the same, SLUICE_OWNED, SLUICE_ALIAS_SPLIT, SLUICE_NOT_FOUND. */
export async function sameAsLatest(
  session: Session,
  { spec, how, run }: { spec: Spec; how: Moving; run: Run | null },
): Promise<Same> {
  const latest = await readConfiguration(session);
  const { function: fn } = session.target;
  if (latest?.FunctionArn === undefined) throw new SluiceError('SLUICE_NOT_FOUND', `function ${fn} does not exist`);
  const alias = await readAlias(session);
  checkAlias(session, spec, alias);
  const arn = latest.FunctionArn.replace(/:\$LATEST$/, '');
  const why = await difference(session, alias, latest);
  if (why === null) return { arn, steps: [] };
  if (how.undo) {
    throw new SluiceError(
      'SLUICE_TARGET',
      `${why}: callers moved back to ${fn} would run other code. First make $LATEST equal to what ${address(session)} runs`,
    );
  }
  if (!how.publish) {
    throw new SluiceError(
      'SLUICE_TARGET',
      `${why}: callers moved to ${address(session)} would run other code. Add --publish to publish $LATEST and point the alias at it, or first roll out what $LATEST is`,
    );
  }
  const text = `publish $LATEST of ${fn} (CodeSha256 ${latest.CodeSha256}) and point ${address(session)} at it, for all its callers at once: ${why}`;
  const revision = (run === null ? null : await publishedFrom(session, latest, run)) ?? latest.RevisionId;
  const id = ['publish', revision, alias?.revision ?? 'none', latest.CodeSha256].join('/');
  return {
    arn,
    steps: [{ id, kind: 'do', text, run: () => publish(session, { latest, alias, mark: run?.mark ?? '' }) }],
  };
}

/**
 * The revision of `$LATEST` that was shown, where this run has published it already and lost the answer: publishing may renew the
 * revision. Null where it has not, or `$LATEST` is something else by now.
 */
async function publishedFrom(session: Session, latest: LambdaConfiguration, run: Run): Promise<string | null> {
  const shown = run.steps.find(({ id }) => id.startsWith('publish/'))?.id.split('/')[1];
  if (shown === undefined || shown === latest.RevisionId) return null;
  const ours = (await listVersions(session)).find(({ Description }) => readDescription(Description).mark === run.mark);
  const same = ours?.CodeSha256 === latest.CodeSha256 && differences(ours ?? {}, latest).length === 0;
  return same ? shown : null;
}

function checkAlias(session: Session, { app, environment }: Spec, alias: Alias | null): void {
  if (alias === null) return;
  const left = parseMark(alias.mark ?? undefined);
  if (left !== null && (left.app !== app || left.environment !== environment)) {
    const id = rolloutId(left.app, left.environment);
    throw new SluiceError('SLUICE_OWNED', `${address(session)} carries the mark of ${id}: use its --app and --env`);
  }
  if (alias.split.candidate !== null) {
    throw new SluiceError('SLUICE_ALIAS_SPLIT', `${address(session)} sends ${say(alias.split)}: end that first`);
  }
}

/** In what the two differ, as the beginning of a sentence; null: in nothing. */
async function difference(session: Session, alias: Alias | null, latest: LambdaConfiguration): Promise<string | null> {
  const { function: fn } = session.target;
  if (alias === null) return `${address(session)} does not exist`;
  const { stable } = alias.split;
  if (stable === '$LATEST') return `${address(session)} points at $LATEST and at no version`;
  const live = stable === null ? null : await readConfiguration(session, stable);
  if (live === null) throw new SluiceError('SLUICE_NOT_FOUND', `version ${stable} of ${fn} does not exist`);
  const names = [...(live.CodeSha256 === latest.CodeSha256 ? [] : ['code']), ...differences(latest, live)];
  return names.length === 0
    ? null
    : `$LATEST of ${fn} and version ${stable}, which ${address(session)} runs, differ in ${names.join(', ')}`;
}

async function publish(
  session: Session,
  { latest, alias, mark }: { latest: LambdaConfiguration; alias: Alias | null; mark: string },
): Promise<void> {
  const { alias: name } = session.target;
  await waitUntilUsable(session, undefined);
  const release = await publishLatest(session, latest, { description: latest.Description ?? '' }, mark);
  const split = { stable: release?.version ?? '', candidate: null, weight: 0 };
  const wanted = { split, text: alias?.text ?? '', mark };
  if (release !== null && (await writeAlias(session, name, alias?.revision ?? null, wanted))) return;
  throw new SluiceError('SLUICE_BUSY', `${address(session)} or $LATEST was changed meanwhile; Sluice reads it again`);
}
