/** The judge: counts in, a verdict out. */
export { dispersion } from './dispersion.js';
export { type SequentialVerdict, sequentialJudge } from './judge.js';
export { type RulesChoice, rulesFrom, type SequentialRules } from './rules.js';
export { judgeOf } from './sources.js';
export type { Look, SequentialState } from './state.js';
export type { Baseline, Counts } from './types.js';
