/** The judge: counts in, a verdict out. */
import { comparison } from './comparison.js';
import type { Judge } from './types.js';

export { type SequentialVerdict, sequentialJudge } from './judge.js';
export { type PolicyChoice, policyFrom, type SequentialPolicy } from './policy.js';
export type { Look, SequentialState } from './state.js';
export type { Counts, Judge, JudgeState, Tick } from './types.js';

/** The judge that rollouts use. */
export const judge: Judge = comparison;
