/** What a rolled-back first deployment left after all: a call that nothing waited for any more has landed. */
import { mark, parseMark } from '../src/model/ids.js';
import type { CallContext, PlatformDriver } from '../src/platforms/port.js';
import { NO_TARGET } from '../src/platforms/shared/splits.js';
import type { LateRecord } from '../workflows/messages.js';

/**
 * Deletes the target if it has the mark of that run; what anyone else has made of it since stays. Returns the release that
 * was there, null if nothing of that run was there. Errors: SLUICE_FOREIGN_CHANGE if someone else was faster.
 */
export async function takeBack(
  ctx: CallContext,
  driver: PlatformDriver,
  { app, environment, run, spec }: LateRecord,
  policed: boolean,
): Promise<{ taken: string | null }> {
  const { split, revision, mark: found } = await driver.traffic(ctx, spec);
  const by = found === null ? null : parseMark(found);
  if (split.stable === null || found === null) return { taken: null };
  if (by?.app !== app || by.environment !== environment || by.run !== run) return { taken: null };
  await driver.restore(ctx, {
    spec,
    before: NO_TARGET,
    attempted: [{ mark: found, split }],
    lastRevision: revision,
    mark: mark(app, environment, run, 'late', policed),
    force: false,
  });
  return { taken: split.stable };
}
