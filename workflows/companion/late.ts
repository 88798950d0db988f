/** The companion checks again after a rolled-back first deployment, and deletes what appears later than any deadline. */
import { log } from '@temporalio/workflow';
import { failureOf } from '../../src/model/rollout/failure.js';
import type { CompanionView } from '../../src/model/view.js';
import { core, forward } from '../calls.js';
import type { LateRecord } from '../messages.js';

const MINUTE = 60_000;
/**
 * When to check, in multiples of a call's life after the end (minutes): once for a worker that froze briefly, once for one
 * that froze long.
 */
const LOOKS = [10, 60];
/** Most checks of one record, and the latest of them, in ms. Bounded because the record comes from outside. */
const MOST_LOOKS = LOOKS.length;
const LATEST = 24 * 60 * MINUTE;
/** When to check again if a rollout was running, in ms: the target belongs to that rollout. */
const BESIDE = 10 * MINUTE;
/** Longest time for one check, in ms. */
const WITHIN = 10 * MINUTE;

/** The part of the companion's state used here. */
export interface LateState {
  app: string;
  environment: string;
  /** What to check for, and when (ms since the epoch). */
  late: { record: LateRecord; dues: number[] } | null;
  takenBack: CompanionView['takenBack'];
}

/** When the companion checks, in ms after the end, a day at most. `callLife`: of a provider call, in ms. */
export function looksAfter(callLife: number): number[] {
  return [...new Set(LOOKS.map((lives) => Math.min(LATEST, lives * callLife)))];
}

/** Whether these are valid check times. */
export function areLooks(looks: unknown): looks is number[] {
  const fits = (after: unknown) => typeof after === 'number' && after > 0 && after <= LATEST;
  return Array.isArray(looks) && looks.length <= MOST_LOOKS && looks.every(fits);
}

export function watchLate(state: LateState, record: LateRecord | undefined): void {
  if (record !== undefined) state.late = { record, dues: record.looks.map((after) => Date.now() + after) };
}

/** ms until the next check, 0 if it is due; null if there is none. */
export function untilLook({ late }: LateState): number | null {
  const [due] = late?.dues ?? [];
  return due === undefined ? null : Math.max(0, due - Date.now());
}

/** One check. Not while a rollout runs. */
export async function lookLate(state: LateState): Promise<void> {
  const { app, environment, late } = state;
  if (late === null) return;
  const { record } = late;
  let [, ...dues] = late.dues;
  try {
    if (await core.isRunning({ app, environment })) dues = [Date.now() + BESIDE, ...dues];
    else {
      const look = forward(record.spec, WITHIN, 'check for late calls of a first deployment');
      const { taken } = await look.takeBack(record);
      if (taken !== null) {
        state.takenBack = { version: taken, run: record.run, at: Date.now() };
        log.warn('a rolled-back first deployment appeared late and was removed again', { taken });
      }
    }
  } catch (error) {
    log.warn('could not check for late calls of a first deployment', { why: failureOf(error).message });
  }
  if (state.late === late) state.late = dues.length === 0 ? null : { record, dues };
}
