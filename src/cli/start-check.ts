/** What becomes of a rollout in its first moment: the access check refuses some that the server has started. */
import type { Sluice, StartAnswer, TargetName } from '../client/types.js';
import { SluiceError } from '../model/errors.js';
import type { RolloutView } from '../model/view.js';
import type { Context } from './command.js';
import { print } from './print.js';

/** Longest wait for the check, in ms: nobody should have to wait for a worker that is away. */
const CHECKED_WITHIN = 2_000;

/** Says where the check has not answered in time. Errors: why the start was refused, with the code of the refusal. */
export async function reportRejection(
  ctx: Context,
  sluice: Sluice,
  target: TargetName,
  answer: StartAnswer,
): Promise<void> {
  if (answer.state !== 'started') return;
  // Not AbortSignal.any of a timeout: what only it refers to may be collected before the time is over.
  const over = new AbortController();
  const end = () => over.abort();
  const timer = setTimeout(end, CHECKED_WITHIN);
  ctx.signal.addEventListener('abort', end, { once: true });
  const late = new Promise<null>((resolve) => {
    over.signal.addEventListener('abort', () => resolve(null), { once: true });
    if (ctx.signal.aborted) end();
  });
  // The start has been done; a look that fails takes nothing from it.
  const looked = checked(sluice, target, answer.run, over.signal).catch(() => null);
  const view = await Promise.race([late, looked]).finally(() => {
    clearTimeout(timer);
    ctx.signal.removeEventListener('abort', end);
    end();
  });
  if (view === null) {
    print(ctx, `not checked yet: \`sluice status ${target.app}/${target.environment} --until done\` waits`);
  } else if (view.outcome === 'failed' && view.code !== null) {
    throw new SluiceError(view.code, view.reason ?? 'it was refused');
  }
}

/** The first view behind the check. */
async function checked(
  sluice: Sluice,
  target: TargetName,
  run: string,
  signal: AbortSignal,
): Promise<RolloutView | null> {
  for await (const { view } of sluice.watch(target, { run, signal })) {
    if (view !== null && (view.access !== null || view.outcome !== null)) return view;
  }
  return null;
}
