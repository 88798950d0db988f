/** The walk through the plan, one step after the other. Each part returns how it ended; only this file decides what follows. */
import type { Stage, Step } from '../../src/strategies/types.js';
import { hold } from './hold.js';
import type { Outcome } from './outcome.js';
import type { Parts } from './parts.js';
import { pause } from './pause.js';
import type { Run } from './run.js';
import type { Cursor, StepState } from './state.js';
import { perform } from './steps/index.js';
import { unhealthy } from './unhealthy.js';

/**
 * Walks until the plan is done or the rollout ends for a reason in its state. `continueAsNew` returns if something outranks
 * it.
 */
export async function walk(parts: Parts, continueAsNew: () => Promise<void>): Promise<void> {
  const { run, watching } = parts;
  const { state, length } = run;
  while (state.leave === null) {
    const { stage, step } = run;
    if (stage === undefined) return;
    length.look();
    if (watching.unhealthy !== null) follow(run, await unhealthy(parts, watching.takeUnhealthy()));
    else if (length.over) await continueAsNew();
    else if (step === undefined) stageEnds(run, stage);
    else follow(run, await next(parts, stage, step));
  }
}

/** What to do now: a hold outranks a pause, and a pause outranks the step. */
function next(parts: Parts, stage: Stage, step: Step): Promise<Outcome> {
  const { state, requests, journal } = parts.run;
  if (state.step.hold !== undefined) return hold(parts, stage, step, state.step.hold);
  if (state.pause !== null || (requests.pause !== undefined && mayPause(step, state.step))) return pause(parts, step);
  state.step.begun = true;
  journal.stepBegins(stage, step);
  return perform(parts, stage, step);
}

/**
 * A pause starts between two steps, or interrupts a wait. A write that is being retried is finished first, and so is a
 * comparison.
 */
function mayPause(step: Step, { begun, compare }: StepState): boolean {
  if (compare !== undefined) return false;
  return begun !== true || step.kind === 'bake' || step.kind === 'approve';
}

function follow(run: Run, outcome: Outcome): void {
  const { state } = run;
  if (outcome === 'done') {
    state.cursor = { ...state.cursor, step: state.cursor.step + 1 };
    state.step = {};
    return;
  }
  // Other answers are in the state, and the walk checks it again.
  if (typeof outcome === 'string') return;
  if ('leave' in outcome) {
    run.leaveWith(outcome.leave);
    return;
  }
  const back = isBefore(outcome.goTo, state.cursor);
  state.cursor = outcome.goTo;
  state.step = outcome.step ?? {};
  if (back) run.journal.stageGoesBack();
}

function stageEnds(run: Run, stage: Stage): void {
  run.journal.stageEnds(stage);
  run.state.cursor = { stage: run.state.cursor.stage + 1, step: 0 };
}

function isBefore(one: Cursor, other: Cursor): boolean {
  return one.stage < other.stage || (one.stage === other.stage && one.step < other.step);
}
