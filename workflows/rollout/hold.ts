/** A hold waits for a person, watching on: reminders, then a rollback. It is plain state, so it survives a continue-as-new. */
import { clean, duration } from '../../src/model/text.js';
import type { Stage, Step } from '../../src/strategies/types.js';
import type { Outcome } from './outcome.js';
import type { Parts } from './parts.js';
import type { Run } from './run.js';
import type { Cursor, Hold, HoldReason } from './state.js';

/**
 * Holds at the running step: the walk waits in `hold` from now on. One that comes within another says what it is about itself, has
 * the time of the first, and its answer ends both.
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
 * Waits until somebody answers. For want of evidence, more evidence answers too: the watcher ends once the verdict is healthy, and what
 * it has counted is read anew for each reminder.
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
  // What was counted last is looked at before anything follows from the hold; for the next look the watcher begins anew.
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

/** Enough evidence has come: the hold is over, and nobody has to answer it. */
function passes({ run, watching }: Parts, stage: Stage, why: string): Outcome {
  watching.passed = null;
  run.journal.enter('baking');
  run.journal.event(`stage ${stage.name}: passed while held: ${why}`);
  return over(run);
}

/** What was asked for while the last counts were read was for this hold, and for no later step. */
function over(run: Run): Outcome {
  run.forgetRequests();
  return 'done';
}

/** Bakes the present weight again: by the bake or the comparison that runs, or by the one that is over. */
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

/** The bake of this weight that is over. */
function bakedAt(stages: Stage[], cursor: Cursor, weight: number): Outcome | null {
  for (const [stage, { steps }] of stages.entries()) {
    const step = steps.findIndex((each) => each.kind === 'bake' && each.weight === weight);
    const over = stage < cursor.stage || (stage === cursor.stage && step < cursor.step);
    if (step !== -1 && over) return { goTo: { stage, step } };
  }
  return null;
}
