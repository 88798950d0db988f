/** Puts a release into the slot, without traffic. */
import { SluiceError } from '../../../model/errors.js';
import type { Release, Spec } from '../../../model/spec.js';
import { targetName } from '../../../model/target.js';
import type { Artifacts } from '../../../store/index.js';
import type { BeforeState, Environments } from '../../port.js';
import type { Session } from './client.js';
import { environmentsOf, idleSide } from './environments.js';
import { publish, store } from './publish.js';
import { readState } from './read.js';
import { packageOf } from './release.js';

/**
 * Creates the release without traffic: it runs in the slot, or if there is none its package is kept in production. Errors:
 * SLUICE_NOT_FOUND for a target that is gone, and those of publishing.
 */
export async function deploy(
  session: Session,
  artifacts: Artifacts,
  {
    spec,
    before,
    into,
    identity = spec.configuration.environment ?? {},
  }: { spec: Spec; before: BeforeState; into?: 'idle'; identity?: Record<string, string> },
): Promise<{ release: Release; environments: Environments | null }> {
  const state = await readState(session);
  if (state === null)
    throw new SluiceError('SLUICE_NOT_FOUND', `${targetName(session.target)} does not exist (any more)`);
  const { production, slot } = state;
  const wanted = await packageOf(session, { spec, stable: before.split.stable, identity }, state, artifacts);
  const release: Release = { version: wanted.release, digest: wanted.digest };
  const placed = into === 'idle';
  // Nothing to release leaves the slot alone.
  if (wanted.release === before.split.stable) {
    return { release, environments: placed ? environmentsOf(production, slot) : null };
  }
  if (slot === null) {
    await store(session, production, wanted);
    return { release, environments: null };
  }
  const side = placed ? idleSide(production, slot) : null;
  await publish(session, slot, wanted, { side, configuration: spec.configuration });
  return { release, environments: placed ? environmentsOf(production, { release: wanted.release, side }) : null };
}
