/** How long a store is waited for. */
import { Readable } from 'node:stream';

/** How long a store may be waited for. Tests have less time. */
export interface Waits {
  /** Longest silence, and longest call that carries few bytes, in ms. */
  silence: number;
  /** The slowest transfer that is waited for, in bytes a millisecond. */
  bytesPerMs: number;
}

/** A minute, as the SDKs of the clouds wait for an answer; 64 kB a second, below any line that large code is put over. */
export const WAITS: Waits = { silence: 60_000, bytesPerMs: 64 };

/** A store has not answered, or not gone on, in time. */
export class Late extends Error {
  override readonly name = 'Late';
}

/** Longest time for a call that carries so many bytes, in ms. */
export function longest({ silence, bytesPerMs }: Waits, bytes = 0): number {
  return silence + Math.ceil(bytes / bytesPerMs);
}

/** Runs `work` for `ms` at most: then its signal is aborted, and nobody waits for it any more. Errors: Late, and those of `work`. */
export async function within<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const over = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new Late(`nothing came within ${ms / 1000} s`);
      reject(error);
      over.abort(error);
    }, ms);
  });
  try {
    return await Promise.race([work(over.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The body of an answer. It may fail when nobody waits for it any longer: after its deadline, or because the call was given up before
 * its answer was taken. An error that nobody hears would end the process.
 */
export function heard(body: unknown): void {
  if (body instanceof Readable) body.on('error', () => undefined);
}

/** What a stream brings; null when that is more than `most` bytes. Errors: Late after a silence, and those of the stream. */
export async function drained(stream: Readable, { most, size }: { most: number; size: number }, waits: Waits) {
  heard(stream);
  if (size > most) {
    stream.destroy();
    return null;
  }
  const parts: Buffer[] = [];
  let bytes = 0;
  const silent = setTimeout(
    () => stream.destroy(new Late(`nothing came for ${waits.silence / 1000} s`)),
    waits.silence,
  );
  try {
    return await within(longest(waits, size), async (signal) => {
      signal.addEventListener('abort', () => stream.destroy(), { once: true });
      for await (const part of stream) {
        silent.refresh();
        bytes += (part as Buffer).length;
        if (bytes > most) return null;
        parts.push(part as Buffer);
      }
      return Buffer.concat(parts);
    });
  } finally {
    clearTimeout(silent);
  }
}
