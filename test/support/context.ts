import type { CallContext } from '../../activities/platform/platform.js';
import { quiet } from '../../activities/platform/quiet.js';

/** What an activity lends a driver, as far as a test does not care. */
export function context(overrides: Partial<CallContext> = {}): CallContext {
  return { ...quiet(new AbortController().signal, 0), ...overrides };
}
