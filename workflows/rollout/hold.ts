/**
 * A hold waits for a person and keeps watching: it sends reminders, then rolls back. Its state is plain data, so it survives
 * a continue-as-new.
 */
import { clean, duration } from '../../src/model/text.js';
import type { Stage, Step } from '../../src/strategies/types.js';
import type { Outcome } from './outcome.js';
import type { Parts } from './parts.js';
import type { Run } from './run.js';
import type { Cursor, Hold, HoldReason } from './state.js';

/**
 * Holds at the running step: from now on the walk waits in `hold`. A hold within another keeps its own reason and the first
 * one's deadline, and its answer ends both.
 */
export function holdFor({ run, announcements }: Parts, about: HoldReason, why: string): void {
  const { state, journal } = run;
  const until = state.step.hold?.until ?? Date.now() + run.rules().maxHold;
  state.step.hold = { why, until, about };
  journal.enter('held', why);
  journal.deadline(until);
  void announcements.notify('waiting');
}

/**
 * Waits until someone answers. If the hold is for want of evidence, more evidence answers it too: the watcher ends once the
 * verdict is healthy, and its counts are read again for each reminder.
 */
export async function hold(parts: Parts, stage: Stage, step: Step, held: Hold): Promise<Outcome> {
  const { run, flow, watching, announcements } = parts;
  const { state, requests, journal } = run;
  const { why, until, about } = held;
  const undecided = about === 'undecided';
  const rules = run.rules();
  const here = state.step;
  journal.enter('held', why);
  journal.deadline(until);
  if (undecided || (about === 'approval' && state.weight > 0)) watching.ensure();
  const asked = () =>
    requests.promote !== undefined ||
    requests.retry !== undefined ||
    here.gate?.decision != null ||
    (undecided && watching.passed !== null);
  const wait = Math.min(rules.remindEvery, until - Date.now());
  const waited = await flow.until(asked, wait, `hold ${stage.name}: ${clean(why, 120)}`, {
    deaf: about === 'unhealthy',
  });
  if (waited !== 'asked' && waited !== 'elapsed') return waited;
  if (here.gate?.decision != null) {
    delete here.hold;
    if (about === 'unhealthy') here.harmKnown = true;
    return 'again';
  }
  if (undecided && watching.passed !== null) return passes(parts, stage, watching.passed.verdict.why);
  const { promote, retry } = requests;
  run.forgetRequests();
  const late = Date.now() >= until;
  // The last counts are checked before anything follows from the hold. The watcher starts again for the next check.
  const report = undecided ? await watching.stop() : null;
  if (report?.verdict.state === 'unhealthy') return 'unhealthy';
  if (undecided && promote !== undefined) {
    journal.event(`stage ${stage.name}: promoted by ${promote} although ${why}`);
    return over(run);
  }
  if (retry !== undefined) return bakeAgain(run, step, held);
  if (report?.verdict.state === 'healthy') return passes(parts, stage, report.verdict.why);
  if (late) {
    const reason = `${why}; nobody decided within ${duration(rules.maxHold)}`;
    return { leave: { outcome: 'rolledBack', reason, code: null } };
  }
  void announcements.notify('reminder');
  return 'again';
}

/** Enough evidence has arrived: the hold is over, and nobody has to answer it. */
function passes({ run, watching }: Parts, stage: Stage, why: string): Outcome {
  watching.passed = null;
  run.journal.enter('baking');
  run.journal.event(`stage ${stage.name}: passed while held: ${why}`);
  return over(run);
}

/** What was requested while the last counts were read was meant for this hold, and for no later step. */
function over(run: Run): Outcome {
  run.forgetRequests();
  return 'done';
}

/** Bakes the current weight again: through the bake or the comparison that runs, or through the one that is over. */
function bakeAgain({ state, prepared }: Run, step: Step, { about }: Hold): Outcome {
  const { cursor, weight } = state;
  if (about !== 'undecided') state.judge = null;
  const { compare } = state.step;
  if (step.kind === 'compare' && compare !== undefined)
    return {
      goTo: cursor,
      step: { compare: { ...compare, at: compare.at === 'back' ? 'back' : 'watch', until: null } },
    };
  if (step.kind === 'bake') return { goTo: cursor };
  delete state.step.hold;
  return (about === 'unhealthy' ? bakedAt(prepared.plan.stages, cursor, weight) : null) ?? 'again';
}

/** The finished bake of this weight. */
function bakedAt(stages: Stage[], cursor: Cursor, weight: number): Outcome | null {
  for (const [stage, { steps }] of stages.entries()) {
    const step = steps.findIndex((each) => each.kind === 'bake' && each.weight === weight);
    const over = stage < cursor.stage || (stage === cursor.stage && step < cursor.step);
    if (step !== -1 && over) return { goTo: { stage, step } };
  }
  return null;
}
