import type { CallContext } from '../port.js';

/** What lends a driver cancellation alone: for calls beside something that shows signs of life by itself, as a watcher does. */
export function quiet(signal: AbortSignal, since: number): CallContext {
  return {
    ...{ signal, heartbeat: () => {}, lastHeartbeat: () => undefined, urgent: false, since },
    // These only look.
    ...{ heed: () => {}, heedful: false },
  };
}
