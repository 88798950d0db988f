/** The first moments of a rollout: the worker's access check may refuse one that the server has started. */
import type { AppEnvironment, Sluice, StartAnswer } from '../client/types.js';
import { SluiceError } from '../model/errors.js';
import type { RolloutView } from '../model/view.js';
import type { Context } from './command.js';
import { print } from './print.js';

/** Longest wait for the check, in ms: a worker that is down must not hold up the user. */
const CHECK_TIMEOUT = 2_000;

/** Waits for the check, and says so if it takes too long. Errors: why the start was refused, with the code of the refusal. */
export async function reportRejection(
  ctx: Context,
  sluice: Sluice,
  target: AppEnvironment,
  answer: StartAnswer,
): Promise<void> {
  if (answer.state !== 'started') return;
  // Not AbortSignal.any with a timeout: a timeout that nothing else refers to may be garbage-collected before it fires.
  const over = new AbortController();
  const end = () => over.abort();
  const timer = setTimeout(end, CHECK_TIMEOUT);
  ctx.signal.addEventListener('abort', end, { once: true });
  const late = new Promise<null>((resolve) => {
    over.signal.addEventListener('abort', () => resolve(null), { once: true });
    if (ctx.signal.aborted) end();
  });
  // The rollout has started; a failure to read it does not change that.
  const firstView = checked(sluice, target, answer.run, over.signal).catch(() => null);
  const view = await Promise.race([late, firstView]).finally(() => {
    clearTimeout(timer);
    ctx.signal.removeEventListener('abort', end);
    end();
  });
  if (view === null) {
    print(
      ctx,
      `no worker has checked this start yet; wait for the result with \`sluice status ${target.app}/${target.environment} --until done\``,
    );
  } else if (view.outcome === 'failed' && view.code !== null) {
    throw new SluiceError(view.code, view.reason ?? 'the start was refused');
  }
}

/** The first view after the check. */
async function checked(
  sluice: Sluice,
  target: AppEnvironment,
  run: string,
  signal: AbortSignal,
): Promise<RolloutView | null> {
  for await (const { view } of sluice.watch(target, { run, signal })) {
    if (view !== null && (view.access !== null || view.outcome !== null)) return view;
  }
  return null;
}
