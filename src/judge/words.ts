/** A sequential verdict as one sentence with its numbers: those at this weight. */
import { estimate, grouped, odds, percent, roughly } from '../model/numbers.js';
import { rateOf } from './rates.js';
import type { Metric, SequentialRules } from './rules.js';
import { type Arms, type SequentialState, slowOf } from './state.js';
import type { Counts } from './types.js';

/** `0.9 % of 4,120 against 0.1 % of 37,080: 9 times the errors, evidence 1 : 2,400`. */
export function unhealthyWords(metric: Metric, state: SequentialState, rules: SequentialRules): string {
  return `${charge(metric, state, rules)}, evidence ${odds(state.peak)}`;
}

/** `0.1 % of 4,120 against 0.1 % of 37,080: a regression of 1 percentage point or more is ruled out, evidence 1 : 25`. */
export function healthyWords(state: SequentialState, proof: number, rules: SequentialRules): string {
  return `${compared(state.step)}: ${regression(rules)} is ruled out, evidence ${odds(proof)}`;
}

export function undecidedWords(
  metric: Metric,
  state: SequentialState,
  logE: number,
  needed: number | null,
  rules: SequentialRules,
): string {
  const so =
    logE > 0
      ? `${charge(metric, state, rules)}, evidence ${odds(logE)}`
      : `${compared(state.step)}: no evidence against it`;
  if (needed === null) return `${so}; more requests like these would not rule out ${regression(rules)}`;
  return `${so}; about ${estimate(needed)} more requests needed to rule out ${regression(rules)}`;
}

/** What a metric says against the candidate. */
export function charge(metric: Metric, { step }: SequentialState, rules: SequentialRules): string {
  switch (metric) {
    case 'relative':
      return `${compared(step)}: ${times(step, 'error')}`;
    case 'latency':
      return `slow are ${compared(slowOf(step))}: ${times(slowOf(step), 'slow answer')}`;
    case 'ceiling':
      return `${share(step.candidate)}: the ceiling is ${percent(rules.ceiling)}`;
  }
}

function compared({ candidate, stable }: Arms): string {
  return stable.requests > 0 ? `${share(candidate)} against ${share(stable)}` : share(candidate);
}

function times({ candidate, stable }: Arms, what: string): string {
  if (rateOf(candidate) <= rateOf(stable)) return `no more ${what}s at this weight`;
  if (stable.errors === 0)
    return `${grouped(candidate.errors)} ${what}${candidate.errors === 1 ? '' : 's'} against none`;
  return `${roughly(rateOf(candidate) / rateOf(stable))} times the ${what}s`;
}

function share(counts: Counts): string {
  return `${percent(rateOf(counts))} of ${grouped(counts.requests)}`;
}

function regression({ margin }: SequentialRules): string {
  const points = Number((margin * 100).toPrecision(2));
  return `a regression of ${points} percentage point${points === 1 ? '' : 's'} or more`;
}
