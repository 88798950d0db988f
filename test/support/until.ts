import { setTimeout as pause } from 'node:timers/promises';

/**
 * How long a condition may take to come, in ms: what does not come in eight minutes never will. No measure of speed, since a
 * machine with other things to do takes what it takes; how fast something must be is a matter of the benchmarks.
 */
export const NEVER = 500_000;

/** Between two looks, in ms: soon at first, then at ease, since looking is work too. */
const SOON = 20;
const LATER = 60;

/** Waits for a condition, however long it takes. Answers what it found; fails with `what` when it never came. */
export async function until<T>(
  what: string,
  look: () => Promise<T | null | undefined | false> | T | null | undefined | false,
): Promise<T> {
  const began = Date.now();
  let wait = SOON;
  let last: unknown;
  while (Date.now() - began < NEVER) {
    try {
      const found = await look();
      if (found !== null && found !== undefined && found !== false) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await pause(wait);
    wait = Math.min(LATER, wait * 1.1);
  }
  throw new Error(`${what} never came${last === undefined ? '' : `; last error: ${String(last)}`}`);
}

/**
 * Waits for a condition for as long as `sign`, whatever it is, goes on changing: fails once nothing has moved for `NEVER`.
 * For work whose length depends on the machine.
 */
export async function whileItMoves<T>(
  what: string,
  look: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  sign: () => string | Promise<string>,
): Promise<T> {
  let moved = Date.now();
  let before = '';
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found;
    const now = await sign();
    if (now !== before) moved = Date.now();
    else if (Date.now() - moved > NEVER) throw new Error(`${what} never came; nothing has moved for ${NEVER / 1000} s`);
    before = now;
    await pause(LATER);
  }
}
