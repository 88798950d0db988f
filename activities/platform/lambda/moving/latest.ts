/** Moving a caller changes what it runs unless the alias and `$LATEST` are the same. */
import { SluiceError } from '../../../../src/model/errors.js';
import { parseMark, rolloutId } from '../../../../src/model/ids.js';
import type { Moving } from '../../../../src/model/moving.js';
import type { Spec } from '../../../../src/model/spec.js';
import { describe } from '../../description.js';
import { say } from '../../splits.js';
import { type Alias, readAlias, writeAlias } from '../alias.js';
import type { Session } from '../client.js';
import { address } from '../commands.js';
import { differences, type LambdaConfiguration, readConfiguration, waitUntilUsable } from '../configuration.js';
import { publishVersion } from '../versions.js';
import type { Planned } from './step.js';

/** What is at the target. */
export interface Same {
  /** ARN of the bare function. */
  arn: string;
  /** What makes the two the same; none: they are. */
  steps: Planned[];
}

/** Errors: SLUICE_TARGET where the two differ and may not be made the same, SLUICE_OWNED, SLUICE_ALIAS_SPLIT, SLUICE_NOT_FOUND. */
export async function sameAsLatest(
  session: Session,
  { spec, how, mark }: { spec: Spec; how: Moving; mark: string | null },
): Promise<Same> {
  const latest = await readConfiguration(session);
  const { function: fn } = session.target;
  if (latest?.FunctionArn === undefined) throw new SluiceError('SLUICE_NOT_FOUND', `there is no function ${fn}`);
  const alias = await readAlias(session);
  checkAlias(session, spec, alias);
  const arn = latest.FunctionArn.replace(/:\$LATEST$/, '');
  const why = await difference(session, alias, latest);
  if (why === null) return { arn, steps: [] };
  if (how.undo) {
    throw new SluiceError(
      'SLUICE_TARGET',
      `${why}: callers that go back to ${fn} would run something else. Make $LATEST what ${address(session)} runs first`,
    );
  }
  if (!how.publish) {
    throw new SluiceError(
      'SLUICE_TARGET',
      `${why}: callers that are moved to ${address(session)} would run something else. With --publish $LATEST is published and the alias points at it; or roll out to the alias first what $LATEST is`,
    );
  }
  const text = `publish $LATEST of ${fn} (CodeSha256 ${latest.CodeSha256}) and point ${address(session)} at it, for all its callers at once: ${why}`;
  const run = () => publish(session, { latest, alias, mark: mark ?? '' });
  return { arn, steps: [{ id: `publish/${latest.CodeSha256}`, kind: 'do', text, run }] };
}

function checkAlias(session: Session, { app, environment }: Spec, alias: Alias | null): void {
  if (alias === null) return;
  const left = parseMark(alias.mark ?? undefined);
  if (left !== null && (left.app !== app || left.environment !== environment)) {
    const id = rolloutId(left.app, left.environment);
    throw new SluiceError(
      'SLUICE_OWNED',
      `${address(session)} carries the mark of ${id}: give --app and --env of that`,
    );
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
  const version = (await publishVersion(session, latest, describe(latest.Description ?? '', mark)))?.Version;
  const split = { stable: version ?? '', candidate: null, weight: 0 };
  const wanted = { split, text: alias?.text ?? '', mark };
  if (version !== undefined && (await writeAlias(session, name, alias?.revision ?? null, wanted))) return;
  throw new SluiceError('SLUICE_BUSY', `${address(session)} or $LATEST was changed meanwhile; it is looked at again`);
}
