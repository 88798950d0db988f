/** The companion looks again at a first deployment that was taken back: what comes later than any deadline goes too. */
import { log } from '@temporalio/workflow';
import { failureOf } from '../../src/model/rollout/failure.js';
import type { CompanionView } from '../../src/model/view.js';
import { core, forward } from '../calls.js';
import type { LateRecord } from '../messages.js';

const MINUTE = 60_000;
/** When it looks, in lives of a call after the end, which are minutes: for a worker that was frozen for a while, and for one that was for long. */
const LOOKS = [10, 60];
/** Most looks of one record, and the latest of them, in ms: it comes from outside. */
const MOST_LOOKS = LOOKS.length;
const LATEST = 24 * 60 * MINUTE;
/** When it looks again after it has found a rollout running, in ms: that one has the target. */
const BESIDE = 10 * MINUTE;
/** How long one look may take, in ms. */
const WITHIN = 10 * MINUTE;

/** The part of the companion's state that this is about. */
export interface LateState {
  app: string;
  environment: string;
  /** What is looked for, and when (ms since the epoch). */
  late: { record: LateRecord; dues: number[] } | null;
  takenBack: CompanionView['takenBack'];
}

/** When the companion looks, in ms after the end, a day at most. `callLife`: of a call of the provider, in ms. */
export function looksAfter(callLife: number): number[] {
  return [...new Set(LOOKS.map((lives) => Math.min(LATEST, lives * callLife)))];
}

/** Whether these can be the times of the looks. */
export function areLooks(looks: unknown): looks is number[] {
  const fits = (after: unknown) => typeof after === 'number' && after > 0 && after <= LATEST;
  return Array.isArray(looks) && looks.length <= MOST_LOOKS && looks.every(fits);
}

export function watchLate(state: LateState, record: LateRecord | undefined): void {
  if (record !== undefined) state.late = { record, dues: record.looks.map((after) => Date.now() + after) };
}

/** ms until the next look, 0 when it is time; null when there is none. */
export function untilLook({ late }: LateState): number | null {
  const [due] = late?.dues ?? [];
  return due === undefined ? null : Math.max(0, due - Date.now());
}

/** One look. Not while a rollout runs. */
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
