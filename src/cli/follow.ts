/** Follows a rollout on a terminal, in a log, or for a program, until it has reached a state. */
import type { AppEnvironment, Sluice, Snapshot, WatchOptions } from '../client/types.js';
import { isReached, type Until } from '../model/until.js';
import type { RolloutView } from '../model/view.js';
import type { Context } from './command.js';
import { type Display, displayFor } from './display.js';
import { EXIT, exitOfView } from './exit-codes.js';
import { note, print, printJson } from './print.js';

export interface Following {
  until: Until;
  /** Wait for the end, and stop early at `until`; stopping early is then not a success. */
  stopEarly?: boolean;
  /** Milliseconds. Without it: as long as it takes. */
  timeout?: number | undefined;
  /** Only this rollout: by its run, or by its ticket while it is queued. Without it: the first one that is seen. */
  only?: Pick<WatchOptions, 'run' | 'ticket'>;
  /** `watch` prints every change on stdout. `wait` prints the end on stdout and the changes on stderr. */
  as: 'watch' | 'wait';
}

/** Resolves with the exit code. */
export async function follow(ctx: Context, sluice: Sluice, target: AppEnvironment, how: Following): Promise<number> {
  const late = how.timeout === undefined ? null : AbortSignal.timeout(how.timeout);
  const signal = late === null ? ctx.signal : AbortSignal.any([ctx.signal, late]);
  const options: WatchOptions = { signal, ...how.only };
  const display = await displayFor(ctx, how.as, target);
  let last: Snapshot | null = null;
  let reached = false;
  try {
    for await (const snapshot of sluice.watch(target, options)) {
      last = snapshot.view === null && last !== null ? { ...snapshot, view: last.view } : snapshot;
      display.show(last);
      reached = isReached(last, how.until);
      if (reached || last.ended || signal.aborted) break;
    }
  } finally {
    display.end();
  }
  const view = last?.view ?? null;
  const code = exitOf(view, last?.ended === true, reached, how, { late: late?.aborted === true, ctx });
  conclude(ctx, target, how, view, code, display);
  return code;
}

function exitOf(
  view: RolloutView | null,
  ended: boolean,
  reached: boolean,
  { until, stopEarly = false }: Following,
  why: { late: boolean; ctx: Context },
): number {
  if (view !== null && ended) {
    const code = exitOfView(view);
    return code === EXIT.succeeded.code && until !== 'done' && !stopEarly ? EXIT.endedBefore.code : code;
  }
  if (reached) return stopEarly ? EXIT.needsPerson.code : EXIT.succeeded.code;
  if (why.ctx.signal.aborted) return EXIT.interrupted.code;
  if (why.late) return view?.phase === 'stuck' ? EXIT.stuck.code : EXIT.timedOut.code;
  return EXIT.error.code;
}

/** The result, and what the user can do next. */
function conclude(
  ctx: Context,
  target: AppEnvironment,
  how: Following,
  view: RolloutView | null,
  code: number,
  display: Display,
): void {
  const id = `${target.app}/${target.environment}`;
  if (ctx.json && how.as === 'watch') {
    printJson(ctx, {
      type: 'end',
      at: ctx.now(),
      exit: code,
      phase: view?.phase ?? null,
      outcome: view?.outcome ?? null,
    });
  } else if (ctx.json) {
    printJson(ctx, view);
  } else if (how.as === 'wait' && view !== null) {
    print(ctx, display.summary(view));
  }
  switch (code) {
    case EXIT.interrupted.code:
      note(
        ctx,
        `interrupted; the rollout is still running. Follow it with \`sluice get ${id} --watch\`, roll it back with \`sluice abort ${id}\``,
      );
      return;
    case EXIT.timedOut.code:
      note(
        ctx,
        `timed out waiting; the rollout is still running. Check it with \`sluice get ${id}\`, roll it back with \`sluice abort ${id}\``,
      );
      return;
    case EXIT.needsPerson.code:
      note(
        ctx,
        `stopped waiting: the rollout needs someone to decide and is still running. Follow it with \`sluice status ${id} --until done\``,
      );
      return;
    case EXIT.endedBefore.code:
      note(ctx, `the rollout ended without reaching --until ${how.until}`);
      return;
  }
}
