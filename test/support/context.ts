import type { CallContext } from '../../src/platforms/port.js';
import { quiet } from '../../src/platforms/shared/quiet.js';

/** What an activity lends a driver, as far as a test does not care. */
export function context(overrides: Partial<CallContext> = {}): CallContext {
  return { ...quiet(new AbortController().signal, 0), ...overrides };
}
