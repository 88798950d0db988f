/**
 * Healthy rollouts on a simulated clock: `judgeOf`, as the watcher calls it, fed by closed ticks of one second of a source and of a
 * probe. No candidate is ever worse than its stable release, so whatever is taken back is a false alarm.
 */
import { paceAfter } from '../../activities/health/pace.js';
import { type Baseline, type Counts, dispersion, type Judge, type JudgeState, judgeOf } from '../../src/judge/index.js';
import type { HealthPolicy } from '../../src/model/spec.js';
import { binomial, seeded } from '../../test/judge/random.js';

/** Requests a second. */
const RATE = 20;
/** Error rates (0-1) of the services, in turn. */
const BASE_RATES = [0.001, 0.01];
/** Percent the candidate has, stage by stage. */
const WEIGHTS = [10, 50, 100];
/** Seconds of a stage, and of the look back before the rollout. */
const STAGE = 120;
const LOOK_BACK = 360;
/** The rate swings by this factor, up and down, within this many seconds: a ceiling is a factor of 3 at least. */
const SWING = 1.8;
const PERIOD = 300;
/**
 * A shared outage: its chance in a second, its seconds, its error rate. None at 100 %, where nothing is beside the candidate: it
 * would break the ceiling there, which is a promise about the candidate alone.
 */
const OUTAGE = { chance: 1 / 600, seconds: 20, rate: 0.3 };
const USERS = 'metric requests';
const PROBE = 'probe smoke';
/** ms between two of its calls, as a spec has it that says nothing. */
const PROBE_EVERY = 1_000;

interface Service {
  random: () => number;
  base: number;
  phase: number;
  outageUntil: number;
  /** ms between two calls of the probe. */
  pace: number;
}

/** How many of `rollouts` healthy rollouts are called unhealthy, with the seeds `first`, `first` + 1, … */
export function falseAlarms(rollouts: number, first: number, policy: HealthPolicy): number {
  let alarms = 0;
  for (let at = 0; at < rollouts; at += 1) if (isTakenBack(first + at, policy)) alarms += 1;
  return alarms;
}

function isTakenBack(seed: number, policy: HealthPolicy): boolean {
  const random = seeded(seed);
  const base = BASE_RATES[seed % BASE_RATES.length] ?? 0;
  const service: Service = { random, base, phase: random() * PERIOD, outageUntil: -1, pace: PROBE_EVERY };
  const baselines = { [USERS]: lookBack(service) };
  const judge = judgeOf({ policy, baselines, sources: [PROBE, USERS], firing: [] });
  let state = judge.start(WEIGHTS[0] ?? 0);
  for (const [stage, weight] of WEIGHTS.entries()) {
    state = judge.enter(state, weight);
    for (let second = 0; second < STAGE && state.unhealthy === null; second += 1) {
      state = oneSecond(judge, state, service, weight, stage * STAGE + second);
    }
  }
  return state.unhealthy !== null;
}

function oneSecond(judge: Judge, state: JudgeState, service: Service, weight: number, second: number): JudgeState {
  const { random } = service;
  if (weight < 100 && random() < OUTAGE.chance) service.outageUntil = second + OUTAGE.seconds;
  const rate = weight < 100 && second < service.outageUntil ? OUTAGE.rate : rateAt(service, second);
  const id = (second + 1) * 1_000;
  const requests = binomial(RATE, weight / 100, random);
  const calls = Math.round(1_000 / service.pace);
  const probe = counts(calls, rate, random);
  service.pace = paceAfter(probe, PROBE_EVERY);
  const probed = judge.tick(state, { source: PROBE, id, candidate: probe, stable: counts(calls, rate, random) });
  return judge.tick(probed, {
    source: USERS,
    id,
    candidate: users(requests, rate, random),
    stable: users(RATE - requests, rate, random),
    seen: true,
  });
}

/** Missing is not zero: a second without requests says nothing. */
function users(requests: number, rate: number, random: () => number): Counts | null {
  return requests === 0 ? null : counts(requests, rate, random);
}

function counts(requests: number, rate: number, random: () => number): Counts {
  return { requests, errors: binomial(requests, rate, random) };
}

function rateAt({ base, phase }: Service, second: number): number {
  return base * SWING ** Math.sin((2 * Math.PI * (second + phase)) / PERIOD);
}

function lookBack(service: Service): Baseline {
  const errors = Array.from({ length: LOOK_BACK }, (_, at) =>
    binomial(RATE, rateAt(service, at - LOOK_BACK), service.random),
  );
  const sum = errors.reduce((all, each) => all + each, 0);
  return { counts: { requests: RATE * LOOK_BACK, errors: sum }, dispersion: dispersion(errors) };
}
