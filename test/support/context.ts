import type { CallContext } from '../../src/platforms/port.js';
import { readContext } from '../../src/platforms/shared/read-context.js';

/** What an activity lends a driver, as far as a test does not care. */
export function context(overrides: Partial<CallContext> = {}): CallContext {
  return { ...readContext(new AbortController().signal, 0), ...overrides };
}
