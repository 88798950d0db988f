/** Provisioned concurrency of a version: asked for, waited for, given back. */
import {
  DeleteProvisionedConcurrencyConfigCommand,
  GetProvisionedConcurrencyConfigCommand,
  PutProvisionedConcurrencyConfigCommand,
} from '@aws-sdk/client-lambda';
import { ERRORS, SluiceError } from '../../../model/errors.js';
import { hasCode } from '../../shared/failures.js';
import { nextDelay, pause } from '../../shared/waiting.js';
import { call, type Session } from './client.js';

/** Provisioned concurrency of a version or an alias; null if there is none. */
export async function readCapacity(
  session: Session,
  qualifier: string,
): Promise<{ requested: number; status: string; reason: string } | null> {
  try {
    const found = await call(
      session,
      new GetProvisionedConcurrencyConfigCommand({ FunctionName: session.target.function, Qualifier: qualifier }),
    );
    return {
      requested: found.RequestedProvisionedConcurrentExecutions ?? 0,
      status: found.Status ?? 'IN_PROGRESS',
      reason: found.StatusReason ?? 'the provider gives no reason',
    };
  } catch (error) {
    if (hasCode(error, 'SLUICE_NOT_FOUND')) return null;
    throw error;
  }
}

/**
 * Provisioned concurrency on the version number, ready when it returns. Never on the alias: there it cannot be changed
 * while the alias is split, and what is allocated follows the weights. `atLeast`: more than `count` is left as it is.
 * Errors: SLUICE_REFUSED with the provider's reason when the allocation failed.
 */
export async function ensureCapacity(
  session: Session,
  version: string,
  count: number,
  options: { atLeast?: boolean; until?: number } = {},
): Promise<void> {
  let asked = false;
  for (let delay: number | null = null; ; ) {
    const now = await readCapacity(session, version);
    const enough = now !== null && (options.atLeast ? now.requested >= count : now.requested === count);
    if (enough && now.status === 'READY') return;
    if (enough && now.status === 'FAILED' && asked) {
      throw new SluiceError(
        'SLUICE_REFUSED',
        `${count} provisioned instances of ${session.target.function}:${version} could not be made ready: ${now.reason}`,
      );
    }
    if (!enough || now.status === 'FAILED') {
      await call(
        session,
        new PutProvisionedConcurrencyConfigCommand({
          FunctionName: session.target.function,
          Qualifier: version,
          ProvisionedConcurrentExecutions: count,
        }),
      );
      asked = true;
    }
    if (options.until !== undefined && Date.now() >= options.until) {
      throw new SluiceError('SLUICE_BUSY', `capacity of ${session.target.function}:${version} is not ready yet`);
    }
    delay = nextDelay(delay);
    await pause(session.ctx, delay);
  }
}

/** Ends a version's provisioned concurrency, if there is any. */
export async function dropCapacity(session: Session, version: string): Promise<void> {
  await call(
    session,
    new DeleteProvisionedConcurrencyConfigCommand({ FunctionName: session.target.function, Qualifier: version }),
  ).catch((error: unknown) => {
    if (!hasCode(error, 'SLUICE_NOT_FOUND')) throw error;
  });
}

/**
 * Longest wait for capacity before the traffic is rolled back anyway, in ms: cold starts are better than a bad release. Well
 * below the minute after which a restore counts as stuck and starts again.
 */
const LONGEST_BEFORE_RESTORE = 20_000;
/** How often to ask a failing provider for the capacity before rolling back without it. */
const TRIES_BEFORE_RESTORE = 3;

/** Capacity of the release that gets all traffic back: tried first, but it never blocks the rollback. */
export async function capacityFirst(session: Session, version: string, count: number): Promise<void> {
  if (count <= 0) return;
  const until = Date.now() + LONGEST_BEFORE_RESTORE;
  for (let tries = 1; ; tries += 1) {
    try {
      return await ensureCapacity(session, version, count, { atLeast: true, until });
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      if (ERRORS[error.code].final || tries >= TRIES_BEFORE_RESTORE || Date.now() >= until) return;
      await pause(session.ctx, nextDelay(null));
    }
  }
}
