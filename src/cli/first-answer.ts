/** What becomes of a rollout in its first moment: the access check refuses some that the server has started. */
import type { Sluice, StartAnswer, TargetName } from '../client/types.js';
import { SluiceError } from '../model/errors.js';
import type { RolloutView } from '../model/view.js';
import type { Context } from './command.js';
import { print } from './print.js';

/** Longest wait for the check, in ms: nobody should have to wait for a worker that is away. */
const CHECKED_WITHIN = 2_000;

/** Says where the check has not answered in time. Errors: why the start was refused, with the code of the refusal. */
export async function heedCheck(ctx: Context, sluice: Sluice, target: TargetName, answer: StartAnswer): Promise<void> {
  if (answer.state !== 'started') return;
  const signal = AbortSignal.any([ctx.signal, AbortSignal.timeout(CHECKED_WITHIN)]);
  const late = new Promise<null>((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener('abort', () => resolve(null), { once: true });
  });
  // The start has been done; a look that fails takes nothing from it.
  const view = await Promise.race([late, checked(sluice, target, answer.run, signal).catch(() => null)]);
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
