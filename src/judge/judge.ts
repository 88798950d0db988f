/**
 * The sequential judge: counts of the last seconds in, a verdict out, at any time and as often as one likes.
 *
 * Unhealthy: the weighted mean of the metrics' evidence reaches 1 / alpha, once and for all. Healthy: the counts at this weight
 * prove that the candidate is worse by less than the margin. What is neither is undecided; what was not counted is noData or blind.
 */
import { carrier, combined, type Part, pValue } from './combine.js';
import { kernel, leader, logEvidence } from './kernel.js';
import { ceiling, relative } from './modes.js';
import { type HealthProof, healthProver } from './proof.js';
import { rateOf } from './rates.js';
import type { Metric, SequentialRules } from './rules.js';
import {
  type Arms,
  BLIND_AFTER,
  type Look,
  NO_COUNTS,
  plus,
  type SequentialState,
  sight,
  slowOf,
  talliesOf,
} from './state.js';
import type { Counts, Verdict } from './types.js';
import { healthyWords, undecidedWords, unhealthyWords } from './words.js';

export interface SequentialVerdict extends Pick<Verdict, 'state' | 'why' | 'stable' | 'candidate'> {
  /** ln E of each metric, null for one that was never measured, and of all together. */
  logE: Record<Metric, number | null> & { combined: number };
  /** Anytime p-value against "no worse". */
  pValue: number;
  /** The metric that carries most of the evidence. */
  metric: Metric;
  /** The odds ratio that the richest expert of that metric bets on. */
  oddsRatio: number;
  /**
   * An estimate of how many more requests of the candidate it takes to be healthy if rates and shares stay as they are: 0 when it
   * is, null when it never would be. Before the first request it is the least number that could do.
   */
  needed: number | null;
}

export interface Evidence {
  /** ln E of all metrics together. */
  logE: number;
  /** The metric that carries most of it. */
  metric: Metric;
}

/** Pure: no clock, no I/O. One state for each source that counts on, behind the seam of `types.ts`. */
export interface SequentialJudge {
  start(): SequentialState;
  tick(state: SequentialState, look: Look): SequentialState;
  /** What decides, without the proof that the candidate is well, which costs the most. */
  evidence(state: SequentialState): Evidence;
  verdict(state: SequentialState): SequentialVerdict;
}

export function sequentialJudge(rules: SequentialRules): SequentialJudge {
  const { start, bet } = kernel(rules.stakes);
  const prove = healthProver(rules);
  const enough = -Math.log(rules.alpha);

  function tick(before: SequentialState, look: Look): SequentialState {
    if (!(look.id > before.lastId)) return before;
    const stepUp = look.stepUp === true;
    const these = talliesOf(look);
    const slow = slowOf(these);
    const highest = look.ceiling ?? these;
    // A latency that is not measured any more is silent; one that never was has no wealth to begin with.
    const latency = before.latency ?? (look.slow === undefined ? null : start());
    const { blindTicks, blindWhy } = sight(before, look);
    return decided({
      lastId: look.id,
      relative: bet(before.relative, relative(these.candidate, these.stable, rules.nullOdds), stepUp),
      ceiling: bet(before.ceiling, ceiling(highest.candidate, highest.stable, rules.ceiling), stepUp),
      latency: latency && bet(latency, relative(slow.candidate, slow.stable, rules.nullOdds), stepUp),
      all: plus(before.all, these),
      step: stepUp ? these : plus(before.step, these),
      peak: before.peak,
      unhealthyBy: before.unhealthyBy,
      blindTicks,
      blindWhy,
    });
  }

  /** Once unhealthy, always so: the evidence was over the limit, and that is what alpha is spent on. */
  function decided(state: SequentialState): SequentialState {
    const parts = partsOf(state, rules);
    const logE = combined(parts);
    state.peak = Math.max(state.peak, logE);
    if (state.unhealthyBy === null && logE >= enough) {
      const metric = carrier(parts);
      if (clears(state, metric, rules)) state.unhealthyBy = metric;
    }
    return state;
  }

  function evidence(state: SequentialState): Evidence {
    const parts = partsOf(state, rules);
    return { logE: combined(parts), metric: state.unhealthyBy ?? carrier(parts) };
  }

  function verdict(state: SequentialState): SequentialVerdict {
    const [ofRelative, ofCeiling, ofLatency] = partsOf(state, rules);
    const { logE, metric } = evidence(state);
    // A margin does not outweigh evidence this strong.
    const proof = logE >= enough || state.unhealthyBy !== null ? UNPROVEN : prove(state);
    const { state: said, why } = saying(state, metric, logE, proof);
    return {
      state: said,
      why,
      stable: plain(state.all.stable),
      candidate: plain(state.all.candidate),
      logE: { combined: logE, relative: ofRelative.logE, ceiling: ofCeiling.logE, latency: ofLatency.logE },
      pValue: pValue(state.peak),
      metric,
      oddsRatio: rules.stakes.ratios[leader(state[metric] ?? state.relative)] ?? 1,
      needed: proof.needed,
    };
  }

  /** In order: proof of harm, blindness, no data; only what is left can be healthy. */
  function saying(
    state: SequentialState,
    metric: Metric,
    logE: number,
    proof: HealthProof,
  ): Pick<Verdict, 'state' | 'why'> {
    if (state.unhealthyBy !== null) {
      return { state: 'unhealthy', why: unhealthyWords(metric, state, rules) };
    }
    if (state.blindTicks >= BLIND_AFTER) {
      const why = `the counts could not be read ${state.blindTicks} times in a row: ${state.blindWhy ?? 'no reason'}`;
      return { state: 'blind', why };
    }
    if (state.all.candidate.requests === 0) return { state: 'noData', why: 'no request of the candidate was counted' };
    if (proof.needed === 0) return { state: 'healthy', why: healthyWords(state, proof.logE, rules) };
    return { state: 'undecided', why: undecidedWords(metric, state, logE, proof.needed, rules) };
  }

  return {
    start: () => ({
      lastId: -1,
      relative: start(),
      ceiling: start(),
      latency: null,
      all: NO_COUNTS,
      step: NO_COUNTS,
      peak: 0,
      unhealthyBy: null,
      blindTicks: 0,
      blindWhy: null,
    }),
    tick,
    evidence,
    verdict,
  };
}

const UNPROVEN: HealthProof = { logE: Number.NEGATIVE_INFINITY, needed: null };

function partsOf(
  { relative, ceiling, latency }: SequentialState,
  { weights }: SequentialRules,
): [Part<Metric>, Part<Metric>, Part<Metric>] {
  return [
    { name: 'relative', weight: weights.relative, logE: logEvidence(relative) },
    { name: 'ceiling', weight: weights.ceiling, logE: logEvidence(ceiling) },
    { name: 'latency', weight: weights.latency, logE: latency && logEvidence(latency) },
  ];
}

/** The gates, which only ever lower the number of false alarms. */
function clears(state: SequentialState, metric: Metric, { minErrors, minEffect }: SequentialRules): boolean {
  const of = (tallies: SequentialState['all']): Arms => (metric === 'latency' ? slowOf(tallies) : tallies);
  if (of(state.all).candidate.errors < minErrors) return false;
  const { candidate, stable } = of(state.step);
  return minEffect === 0 || rateOf(candidate) - rateOf(stable) >= minEffect;
}

function plain({ requests, errors }: Counts): Counts {
  return { requests, errors };
}
