import { setTimeout as pause } from 'node:timers/promises';

/** Waits for a condition, at most `deadline` ms. Answers what it found; fails with `what` when it never came. */
export async function until<T>(
  what: string,
  look: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  deadline = 15_000,
): Promise<T> {
  const end = Date.now() + deadline;
  let last: unknown;
  while (Date.now() < end) {
    try {
      const found = await look();
      if (found !== null && found !== undefined && found !== false) return found;
    } catch (error) {
      last = error;
    }
    await pause(20);
  }
  throw new Error(`waited ${deadline} ms for ${what}${last === undefined ? '' : `; last error: ${String(last)}`}`);
}
