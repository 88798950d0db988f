/** Waiting for something that a provider does, with signs of life. */
import type { CallContext } from '../port.js';
import { cancelled } from './failures.js';

/** Waits `ms`, heartbeats, and rejects with an AbortError as soon as the call is cancelled. */
export async function pause(ctx: CallContext, ms: number): Promise<void> {
  ctx.heartbeat();
  await new Promise<void>((resolve, reject) => {
    const leave = () => {
      clearTimeout(timer);
      reject(cancelled());
    };
    const timer = setTimeout(() => {
      ctx.signal.removeEventListener('abort', leave);
      resolve();
    }, ms);
    if (ctx.signal.aborted) leave();
    else ctx.signal.addEventListener('abort', leave, { once: true });
  });
  ctx.heartbeat();
}

/** Waits between two looks at something the provider does: short at first, 2 s later on, in ms. */
export function nextDelay(previous: number | null): number {
  return previous === null ? 300 : Math.min(2_000, previous * 1.5);
}
