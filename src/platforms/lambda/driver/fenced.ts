/** Whether a write was refused because somebody else wrote before it. */
import { hasCode } from '../../shared/failures.js';
import { isPrecondition } from './errors.js';

/** The call's answer; null when its RevisionId was spent: then what it was about is looked at again. */
export async function fenced<T>(write: () => Promise<T>): Promise<T | null> {
  try {
    return await write();
  } catch (error) {
    // PublishVersion may notice another digest before another revision; both mean that $LATEST has changed.
    if (isPrecondition(error) || (hasCode(error, 'SLUICE_REFUSED') && /CodeSha256/i.test(error.message))) return null;
    throw error;
  }
}
