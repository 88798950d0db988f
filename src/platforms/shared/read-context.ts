/** A context for calls that only read beside something else, such as a watcher. */
import type { CallContext } from '../port.js';

/** It passes only the cancellation to a driver; the call around it sends the heartbeats itself. */
export function readContext(signal: AbortSignal, since: number): CallContext {
  return {
    ...{ signal, heartbeat: () => {}, lastHeartbeat: () => undefined, urgent: false, since },
    // Nothing is written, so no mark can be in the way.
    ...{ heed: () => {}, heedful: false },
  };
}
