/** Follows a rollout on a terminal, in a log, or for a program, until it is where it should be. */
import type { Sluice, Snapshot, TargetName, WatchOptions } from '../client/types.js';
import { isReached, type Until } from '../model/until.js';
import type { RolloutView } from '../model/view.js';
import type { Context } from './command.js';
import { type Display, displayFor } from './display.js';
import { EXIT, exitOfView } from './exit-codes.js';
import { note, print, printJson } from './print.js';

export interface Following {
  until: Until;
  /** The end is what is waited for, and `until` where it may be left before: that is no success of its own. */
  leaves?: boolean;
  /** Milliseconds; without, as long as it takes. */
  timeout?: number | undefined;
  /** This rollout alone: by its run, or by the ticket of one that waits. Without, the one that is seen first. */
  whom?: Pick<WatchOptions, 'run' | 'ticket'>;
  /** `watch`: what is seen is the data. `wait`: the end is the data, what is seen before is progress. */
  as: 'watch' | 'wait';
}

/** Answers the exit code. */
export async function follow(ctx: Context, sluice: Sluice, target: TargetName, how: Following): Promise<number> {
  const late = how.timeout === undefined ? null : AbortSignal.timeout(how.timeout);
  const signal = late === null ? ctx.signal : AbortSignal.any([ctx.signal, late]);
  const options: WatchOptions = { signal, ...how.whom };
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
  { until, leaves = false }: Following,
  why: { late: boolean; ctx: Context },
): number {
  if (view !== null && ended) {
    const code = exitOfView(view);
    return code === EXIT.succeeded.code && until !== 'done' && !leaves ? EXIT.endedBefore.code : code;
  }
  if (reached) return leaves ? EXIT.needsPerson.code : EXIT.succeeded.code;
  if (why.ctx.signal.aborted) return EXIT.interrupted.code;
  if (why.late) return view?.phase === 'stuck' ? EXIT.stuck.code : EXIT.timedOut.code;
  return EXIT.error.code;
}

/** The last words: what is the case, and what a person may do. */
function conclude(
  ctx: Context,
  target: TargetName,
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
      note(ctx, `interrupted; the rollout goes on. Look: \`sluice get ${id} --watch\`. End it: \`sluice abort ${id}\``);
      return;
    case EXIT.timedOut.code:
      note(ctx, `the time is over; the rollout goes on. Look: \`sluice get ${id}\`. End it: \`sluice abort ${id}\``);
      return;
    case EXIT.needsPerson.code:
      note(ctx, `left while it waits for a person; the rollout goes on. Follow it: sluice status ${id} --until done`);
      return;
    case EXIT.endedBefore.code:
      note(ctx, `the rollout has ended before it was where --until ${how.until} waits for`);
      return;
  }
}
