/** What the kernel answers to a case, by the kind of the case; the fields have the names of the file's `expected`. */
import type { Prior } from '../../src/judge/beta-binomial.js';
import { oneArmBounds } from '../../src/judge/bounds.js';
import { combined } from '../../src/judge/combine.js';
import { dkwBound, greatestDrop } from '../../src/judge/dkw.js';
import { type Bet, kernel, logEvidence, type Stakes, type Wealth } from '../../src/judge/kernel.js';
import { ceiling, relative, slower } from '../../src/judge/modes.js';
import { nonInferiority } from '../../src/judge/promotion.js';
import type { Counts } from '../../src/judge/types.js';
import { BadField, numbersAt, type Reader } from './read.js';

export type Answer = number | boolean | null | readonly Answer[];

interface Look {
  candidate: Counts;
  stable: Counts;
  stepUp: boolean;
}

const COUNT = { least: 0 };
const SHARE = { least: 0, most: 1 };
const POSITIVE = { above: 0 };
/** An error probability. */
const CHANCE = { above: 0, most: 1 };
/** The level of the band in the report on a latency: half of 0.01 for each arm. */
const BAND_ALPHA = 0.005;

/** Errors: BadField, also for a kind that is not known. */
export function answer(given: Reader): Record<string, Answer> {
  const kind = given.text('kind');
  const compute = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (compute === undefined) {
    throw new BadField('kind', `"${kind}" is not known; known are ${Object.keys(KINDS).join(', ')}`);
  }
  return compute(given);
}

const KINDS: Record<string, (given: Reader) => Record<string, Answer>> = {
  relative: (given) => course(stakesOf(given), looksOf(given), relativeBets(given)),
  absolute: (given) => course(stakesOf(given), looksOf(given), absoluteBets(given)),
  combined: combinedCase,
  noninferiority: (given) => {
    const { a: ac, b: bc } = betaOf(given, 'ac', 'bc');
    const { a: ab, b: bb } = betaOf(given, 'ab', 'bb');
    return promotionCase(given, [{ weight: 1, a: ac, b: bc }], [{ weight: 1, a: ab, b: bb }]);
  },
  noninferiorityMix: (given) => promotionCase(given, mixOf(given, 'candidatePriors'), mixOf(given, 'baselinePriors')),
  oneArmBounds: (given) => {
    const counts = countsOf(given, 'n', 'e');
    const { lower, upper } = oneArmBounds(counts, given.number('alpha', CHANCE), [
      { weight: 1, ...betaOf(given, 'a', 'b') },
    ]);
    return { lower, upper };
  },
  latencyExceedance: latencyCase,
  dkwBound: (given) => ({ bound: dkwBound(given.number('t', { least: 1 }), given.number('alpha', CHANCE)) }),
};

function stakesOf(given: Reader): Stakes {
  const params = given.object('params');
  const ratios = params.numbers('ratios', POSITIVE);
  const weights = params.numbers('weights', SHARE);
  if (weights.length !== ratios.length || ratios.length === 0) {
    throw new BadField('params.weights', `expected one for each of the ${ratios.length} ratios, got ${weights.length}`);
  }
  return {
    ratios,
    weights,
    atStart: params.number('g0', SHARE),
    atStep: params.number('gStep', SHARE),
    perBet: params.number('h', SHARE),
    dispersion: params.has('phi') ? params.number('phi', POSITIVE) : 1,
  };
}

function looksOf(given: Reader): Look[] {
  return given.objects('ticks').map((tick) => ({
    candidate: countsOf(tick, 'nc', 'ec'),
    stable: countsOf(tick, 'nb', 'eb'),
    stepUp: tick.flag('stepUp'),
  }));
}

function countsOf(given: Reader, requests: string, errors: string): Counts {
  const all = given.number(requests, COUNT);
  return { requests: all, errors: given.number(errors, { least: 0, most: all }) };
}

function betaOf(given: Reader, a: string, b: string): { a: number; b: number } {
  const priors = given.object('priors');
  return { a: priors.number(a, POSITIVE), b: priors.number(b, POSITIVE) };
}

function mixOf(given: Reader, name: string): Prior[] {
  return given.list(name).map((row, i) => {
    const at = `${given.path(name)}[${i}]`;
    const [weight, a, b, ...rest] = numbersAt(row, at, { least: 0 });
    if (weight === undefined || !a || !b || rest.length > 0) {
      throw new BadField(at, 'expected [weight, a, b] with a and b above 0');
    }
    return { weight, a, b };
  });
}

function relativeBets(given: Reader): (look: Look) => Bet {
  const nullOdds = given.has('nullOdds') ? given.number('nullOdds', POSITIVE) : 1;
  return ({ candidate, stable }) => relative(candidate, stable, nullOdds);
}

function absoluteBets(given: Reader): (look: Look) => Bet {
  const highest = given.number('p0', SHARE);
  return ({ candidate, stable }) => ceiling(candidate, stable, highest);
}

/** The wealth after each look. */
function wealths(stakes: Stakes, looks: readonly Look[], betOf: (look: Look) => Bet): Wealth[] {
  const { start, bet } = kernel(stakes);
  let wealth = start();
  return looks.map((look) => {
    wealth = bet(wealth, betOf(look), look.stepUp);
    return wealth;
  });
}

function course(stakes: Stakes, looks: Look[], betOf: (look: Look) => Bet): Record<string, Answer> {
  const all = wealths(stakes, looks, betOf);
  const last = all.at(-1) ?? kernel(stakes).start();
  const [logCash = 0, ...logV] = last;
  return { logE: all.map(logEvidence), logCash, logV };
}

function combinedCase(given: Reader): Record<string, Answer> {
  const [stakes, looks, weights] = [stakesOf(given), looksOf(given), given.object('metricWeights')];
  const ofRelative = wealths(stakes, looks, relativeBets(given)).map(logEvidence);
  const ofCeiling = wealths(stakes, looks, absoluteBets(given)).map(logEvidence);
  const logE = looks.map((_, i) =>
    combined([
      { name: 'relative', weight: weights.number('relative', SHARE), logE: ofRelative[i] ?? null },
      { name: 'absolute', weight: weights.number('absolute', SHARE), logE: ofCeiling[i] ?? null },
      { name: 'idle', weight: weights.number('idle', SHARE), logE: null },
    ]),
  );
  const enough = -Math.log(given.number('alpha', CHANCE));
  const first = logE.findIndex((each) => each >= enough);
  return { logE, rollbackTick: first === -1 ? null : first };
}

function promotionCase(given: Reader, candidate: Prior[], stable: Prior[]): Record<string, Answer> {
  const margin = given.number('delta', SHARE);
  const arms = [countsOf(given, 'nc', 'ec'), countsOf(given, 'nb', 'eb')] as const;
  const proof = nonInferiority(...arms, margin, { candidate, stable });
  return {
    logE: proof?.logE ?? null,
    pStar: proof?.rate ?? null,
    passesBeta005: proof !== null && proof.logE >= Math.log(20),
  };
}

function latencyCase(given: Reader): Record<string, Answer> {
  const stakes = stakesOf(given);
  const bounds = given.numbers('bucketUpperBoundsMs');
  const thresholds = given.numbers('thresholdsMs');
  const ticks = given.objects('ticks').map((tick) => ({
    candidate: bucketsOf(tick, 'candidate', bounds),
    stable: bucketsOf(tick, 'baseline', bounds),
    stepUp: tick.flag('stepUp'),
  }));
  const each = thresholds.map((threshold, i) => {
    if (!bounds.includes(threshold)) throw new BadField(`thresholdsMs[${i}]`, `${threshold} is no bound of a bucket`);
    const looks = ticks.map(({ candidate, stable, stepUp }) => ({
      candidate: slower({ bounds, counts: candidate }, threshold),
      stable: slower({ bounds, counts: stable }, threshold),
      stepUp,
    }));
    return wealths(stakes, looks, relativeBets(given)).map(logEvidence);
  });
  const mean = (at: number) =>
    combined(each.map((logs) => ({ name: 'latency', weight: 1 / each.length, logE: logs[at] ?? null })));
  const arms = [total(ticks.map(({ candidate }) => candidate)), total(ticks.map(({ stable }) => stable))] as const;
  const drop = greatestDrop(...arms);
  const threshold = arms.reduce(
    (sum, arm) =>
      sum +
      dkwBound(
        arm.reduce((all, count) => all + count, 0),
        BAND_ALPHA,
      ),
    0,
  );
  return {
    logEPerThreshold: each,
    logE: ticks.map((_, at) => mean(at)),
    ksMaxDropFinal: drop,
    ksThresholdAlpha001Final: threshold,
    ksRejectFinal: drop > threshold,
  };
}

function bucketsOf(tick: Reader, name: string, bounds: readonly number[]): number[] {
  const counts = tick.numbers(name, COUNT);
  if (counts.length === bounds.length + 1) return counts;
  throw new BadField(
    tick.path(name),
    `expected ${bounds.length + 1} counts, one more than bounds, got ${counts.length}`,
  );
}

/** Bucket by bucket. */
function total(rows: readonly (readonly number[])[]): number[] {
  const [first = []] = rows;
  return first.map((_, i) => rows.reduce((sum, row) => sum + (row[i] ?? 0), 0));
}
