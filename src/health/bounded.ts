/** Waiting that always ends: by its result, by its time, or by a signal. */

/** What `bounded` rejects with when the time is over. */
export class TimeOver extends Error {
  override readonly name = 'TimeOver';
  constructor(readonly ms: number) {
    super(`no answer within ${ms} ms`);
  }
}

/**
 * Runs `work` for `ms` at most. Its signal is aborted when the time is over or `signal` is, and the promise settles then,
 * whether `work` listens or not. Leaves nothing on `signal`, which may live for days: AbortSignal.any would.
 * Errors: TimeOver; an AbortError when `signal` was aborted; what `work` rejects with.
 */
export async function bounded<T>(
  signal: AbortSignal,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const own = new AbortController();
  let cancel = () => {};
  let timer: NodeJS.Timeout | undefined;
  const ended = new Promise<never>((_, reject) => {
    const end = (error: Error) => {
      reject(error);
      own.abort(error);
    };
    cancel = () => end(new DOMException('cancelled', 'AbortError'));
    timer = setTimeout(() => end(new TimeOver(ms)), ms);
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
  });
  try {
    // Lost races must not become unhandled rejections; Promise.race has handlers on both.
    return await Promise.race([ended, own.signal.aborted ? ended : work(own.signal)]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
  }
}

/** Waits `ms`, or until `signal` is aborted. Never rejects. */
export async function rest(signal: AbortSignal, ms: number): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}

/** The clock of `repeat`; tests use another one than the machine's, to play hours in a moment. */
export interface Clock {
  /** ms since some moment; never decreases. */
  now(): number;
  /** Waits `ms`, or until `signal` is aborted. Never rejects. */
  rest(signal: AbortSignal, ms: number): Promise<void>;
}

const MACHINE: Clock = { now: () => performance.now(), rest };

/**
 * Does `work` now and then every `ms`, until `signal` is aborted; never twice at once. Paced by a grid, so that 20 a second
 * are 20; what a slow call has missed is not made up for. Where `ms` is a function it is asked after each time.
 */
export async function repeat(
  signal: AbortSignal,
  ms: number | (() => number),
  work: () => Promise<void>,
  clock: Clock = MACHINE,
): Promise<void> {
  for (let due = clock.now(); !signal.aborted; ) {
    await work();
    due = Math.max(due + (typeof ms === 'number' ? ms : ms()), clock.now());
    await clock.rest(signal, due - clock.now());
  }
}
