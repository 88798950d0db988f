/** Findings of the checks before a rollout: those that refuse and those that warn. */
import type { Finding } from '../port.js';
import { hasCode } from './failures.js';

/** Stops a rollout before anything is touched. A code of the error list says which error it becomes. */
export function refuse(code: string, message: string): Finding {
  return { level: 'refuse', code, message };
}

/** A person should read it; it stops nothing. */
export function warn(code: string, message: string): Finding {
  return { level: 'warn', code, message };
}

/** An optional check: what may not be read is reported, and stops nothing. */
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
