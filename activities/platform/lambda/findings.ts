import type { Finding } from '../platform.js';
import type { Alias } from './alias.js';
import type { LambdaConfiguration } from './configuration.js';
import { hasCode } from './errors.js';

/** What was read of the target, for the checks. */
export interface Seen {
  alias: Alias | null;
  /** $LATEST; null: the function does not exist. */
  latest: LambdaConfiguration | null;
  /** The stable version's configuration. */
  stable: LambdaConfiguration | null;
  /** The version `release: {version}` names. */
  named: LambdaConfiguration | null;
}

/** Stops a rollout before anything is touched. A code of the error list says which error it becomes. */
export function refuse(code: string, message: string): Finding {
  return { level: 'refuse', code, message };
}

/** A person should read it; it stops nothing. */
export function warn(code: string, message: string): Finding {
  return { level: 'warn', code, message };
}

/** An optional check: what may not be read is said, and is no obstacle. */
export async function optional(what: string, check: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await check();
  } catch (error) {
    if (hasCode(error, 'SLUICE_NOT_FOUND')) return [];
    if (hasCode(error, 'SLUICE_PERMISSION', 'SLUICE_REFUSED')) {
      return [warn('UNCHECKED', `${what} could not be checked: ${error.message}`)];
    }
    throw error;
  }
}
