/** A context for calls that only read beside something else, such as a watcher. */
import type { CallContext } from '../port.js';

/** It lends a driver cancellation alone: whatever the call stands beside shows signs of life itself. */
export function readContext(signal: AbortSignal, since: number): CallContext {
  return {
    ...{ signal, heartbeat: () => {}, lastHeartbeat: () => undefined, urgent: false, since },
    // Nothing is written, so nobody's mark stands in the way.
    ...{ heed: () => {}, heedful: false },
  };
}
