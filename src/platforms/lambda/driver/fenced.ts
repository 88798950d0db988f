/** Whether a write was refused because someone else wrote first. */
import { hasCode } from '../../shared/failures.js';
import { isPrecondition } from './errors.js';

/** The call's answer; null if its RevisionId was spent: then the caller reads again. */
export async function fenced<T>(write: () => Promise<T>): Promise<T | null> {
  try {
    return await write();
  } catch (error) {
    // PublishVersion may notice another digest before another revision; both mean that $LATEST has changed.
    if (isPrecondition(error) || (hasCode(error, 'SLUICE_REFUSED') && /CodeSha256/i.test(error.message))) return null;
    throw error;
  }
}
