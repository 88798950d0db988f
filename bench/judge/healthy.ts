/**
 * Healthy rollouts on a simulated clock: the watcher itself, as an activity runs it, beside a service that is played. No candidate
 * is ever worse than its stable release, so whatever is taken back is a false alarm.
 */

import { createEgress } from '../../src/egress/index.js';
import { decidingSources } from '../../src/health/source-names.js';
import type { SourceTick } from '../../src/health/sources/source.js';
import type { WatchReport } from '../../src/health/types.js';
import { type WatchDeps, watch } from '../../src/health/watcher.js';
import { type Baseline, type Counts, dispersion, judgeOf } from '../../src/judge/index.js';
import type { JudgeRules, MetricSpec, ProbeSpec, Spec } from '../../src/model/spec.js';
import { binomial, seeded } from '../../test/judge/random.js';
import { SimulatedClock } from '../../test/support/clock.js';
import { specFor } from '../../test/support/specs.js';

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
/** Versions of the releases. */
const STABLE = '1';
const CANDIDATE = '2';
/** ms that an answer to a probe takes: the least, and how much more at most. */
const ANSWER = { least: 20, more: 60 };

const PROBE: ProbeSpec = {
  name: 'smoke',
  kind: 'invoke',
  payload: {},
  expect: { status: 200 },
  latency: 1_000,
  every: 1_000,
  safe: false,
  smoke: 3,
};
const METRIC: MetricSpec = {
  name: 'requests',
  kind: 'cloudwatch',
  namespace: 'AWS/Lambda',
  every: 1_000,
  delay: 0,
  dryRun: false,
};
const USERS = 'metric requests';

/** How many of `rollouts` healthy rollouts are called unhealthy, with the seeds `first`, `first` + 1, … */
export async function falseAlarms(rollouts: number, first: number, rules: JudgeRules): Promise<number> {
  let alarms = 0;
  for (let at = 0; at < rollouts; at += 1) if (await isTakenBack(first + at, rules)) alarms += 1;
  return alarms;
}

async function isTakenBack(seed: number, rules: JudgeRules): Promise<boolean> {
  const clock = new SimulatedClock();
  const service = new Service(seed, clock);
  const baselines = { [USERS]: service.lookBack() };
  let report: WatchReport | null = null;
  for (const weight of WEIGHTS) {
    service.weight = weight;
    report = await stageOf({ service, clock, weight, rules, baselines, state: report?.state ?? null });
    if (report.verdict.state === 'unhealthy') return true;
  }
  return false;
}

interface StageOf {
  service: Service;
  clock: SimulatedClock;
  weight: number;
  rules: JudgeRules;
  baselines: Record<string, Baseline>;
  state: WatchReport['state'] | null;
}

/** Nothing is asked over the network here. */
const NO_EGRESS = createEgress({ env: {}, allowAddresses: '' })(null);

/** One weight, watched until its time is over. */
async function stageOf({ service, clock, weight, rules, baselines, state }: StageOf): Promise<WatchReport> {
  const spec = specOf(rules);
  const stop = new AbortController();
  const before = { baselines, firing: [] };
  const from = clock.now();
  const judge = judgeOf({ rules, ...before, ...decidingSources(spec.health, { stable: STABLE }) });
  let over = false;
  const report = watch(
    {
      spec,
      stable: STABLE,
      candidate: CANDIDATE,
      weight,
      from,
      state,
      rules,
      before,
      earliest: null,
      held: false,
      own: null,
    },
    {
      driver: service,
      egress: NO_EGRESS,
      signal: stop.signal,
      heartbeat: () => {},
      now: () => clock.now(),
      clock,
      judge,
    },
  ).finally(() => {
    over = true;
  });
  await clock.goOn(from + STAGE * 1_000, () => over);
  stop.abort();
  return report;
}

function specOf(rules: JudgeRules): Spec {
  const spec = specFor({ type: 'direct', bake: 1_000 });
  return { ...spec, health: { ...spec.health, probes: [PROBE], metrics: [METRIC], judge: rules } };
}

/** A service whose releases are alike, seen through the part of a driver that the watcher needs. */
class Service {
  weight = 0;
  private readonly random: () => number;
  private readonly base: number;
  private readonly phase: number;
  private outageUntil = -1;
  /** The last second whose outage was drawn. */
  private drawn = -1;

  constructor(
    seed: number,
    private readonly clock: SimulatedClock,
  ) {
    this.random = seeded(seed);
    this.base = BASE_RATES[seed % BASE_RATES.length] ?? 0;
    this.phase = this.random() * PERIOD;
  }

  async invoke(...[{ signal }, { version }]: Parameters<WatchDeps['driver']['invoke']>) {
    const failed = this.random() < this.rate(Math.floor(this.clock.now() / 1_000));
    const latencyMs = ANSWER.least + this.random() * ANSWER.more;
    await this.clock.rest(signal, latencyMs);
    const functionError = failed ? { type: 'Error', message: 'unlucky' } : null;
    return { executedVersion: version, functionError, body: { statusCode: 200 }, latencyMs };
  }

  source() {
    return {
      read: async (_ctx: unknown, since: number) => {
        const ticks: SourceTick[] = [];
        for (let id = since + 1_000 - (since % 1_000); id <= this.clock.now(); id += 1_000) ticks.push(this.users(id));
        return { ticks, asked: [] };
      },
    };
  }

  address(): Promise<never> {
    return Promise.reject(new Error('this service has no address'));
  }

  alarms() {
    return { states: async () => ({}) };
  }

  /** What was counted before the rollout. */
  lookBack(): Baseline {
    const errors = Array.from({ length: LOOK_BACK }, (_, at) =>
      binomial(RATE, this.swing(at - LOOK_BACK), this.random),
    );
    const sum = errors.reduce((all, each) => all + each, 0);
    return { counts: { requests: RATE * LOOK_BACK, errors: sum }, dispersion: dispersion(errors) };
  }

  /** The users of the second that ended at `id`. */
  private users(id: number): SourceTick {
    const rate = this.rate(id / 1_000 - 1);
    const requests = binomial(RATE, this.weight / 100, this.random);
    return { id, candidate: this.counts(requests, rate), stable: this.counts(RATE - requests, rate) };
  }

  /** Missing is not zero: a second without requests says nothing. */
  private counts(requests: number, rate: number): Counts | null {
    return requests === 0 ? null : { requests, errors: binomial(requests, rate, this.random) };
  }

  private rate(second: number): number {
    for (; this.drawn < second; this.drawn += 1) {
      if (this.weight < 100 && this.random() < OUTAGE.chance) this.outageUntil = this.drawn + 1 + OUTAGE.seconds;
    }
    return this.weight < 100 && second < this.outageUntil ? OUTAGE.rate : this.swing(second);
  }

  private swing(second: number): number {
    return this.base * SWING ** Math.sin((2 * Math.PI * (second + this.phase)) / PERIOD);
  }
}
