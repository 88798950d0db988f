/** Retries calls to an artifact store. */
import { setTimeout as pause } from 'node:timers/promises';

/** How often a call to a store is made, and the first pause between two, in ms; each further one is twice as long. */
const TRIES = 5;
const PAUSE = 200;

/** Makes a call again while its error is one that passes. Errors: the last one's. */
export async function repeated<T>(work: () => Promise<T>, passes: (error: unknown) => boolean): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries === TRIES || !passes(error)) throw error;
      await pause(PAUSE * 2 ** (tries - 1));
    }
  }
}
