/** Something started that must not outlive this process. */
interface Entry {
  stop(): Promise<void>;
  /** The hard way, without waiting: all that can be done while a process exits. */
  killNow(): void;
}

const entries = new Set<Entry>();
let hooked = false;

/** Adds an entry; the first one hooks the process's end. */
export function register(entry: Entry): void {
  entries.add(entry);
  if (hooked) return;
  hooked = true;
  process.on('exit', () => {
    for (const each of entries) each.killNow();
  });
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
}

export function unregister(entry: Entry): void {
  entries.delete(entry);
}

/** Stops everything that was started, all at once. */
export async function stopAll(): Promise<void> {
  await Promise.allSettled([...entries].map((entry) => entry.stop()));
}

function onSignal(signal: NodeJS.Signals): void {
  // A program that drains on this signal decides itself when to exit; the exit hook then does the rest.
  if (process.listenerCount(signal) > 1) return;
  void stopAll().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143));
}
