/**
 * The watcher of one weight: calls the probes on candidate and stable separately, reads the users' counts, and feeds the
 * judge. It runs until the judge is sure of harm, has what it was waiting for, or is cancelled. A crash costs the counts
 * since the last heartbeat.
 */
import { setMaxListeners } from 'node:events';
import type { Egress } from '../egress/index.js';
import type { Judge, JudgeState, Tick, Verdict } from '../judge/types.js';
import { aborted } from '../model/aborted.js';
import { probeCalls } from '../model/counts.js';
import { SluiceError } from '../model/errors.js';
import { extended, type SeriesPoint } from '../model/series.js';
import type { AlarmSpec, MetricSpec, ProbeSpec } from '../model/spec.js';
import { clean } from '../model/text.js';
import type { Arm } from '../model/words.js';
import type { PlatformDriver } from '../platforms/port.js';
import { readContext } from '../platforms/shared/read-context.js';
import { bounded, type Clock, repeat } from './bounded.js';
import { FIRST_CALL } from './first-call.js';
import { OwnRequests } from './own-requests.js';
import { paceAfter } from './pace.js';
import { runProbe } from './probe.js';
import { lookEvery, ProbeCounts } from './probe-counts.js';
import { Questions } from './questions.js';
import { metricSource, probeSource } from './source-names.js';
import { alarmStates, type Source, type SourceTick, sourceOf } from './sources/index.js';
import type { AlarmState } from './sources/source.js';
import { Tally } from './tally.js';
import type { HandedOn, WatchHeartbeat, WatchInput, WatchReport } from './types.js';

/** Between two heartbeats, in ms: what a crash may cost, and how soon a cancel is noticed. */
const BEAT = 1_000;
/** Longest read of a metric, in ms; then the source is blind. */
const READ = 10_000;
/** Longest last read after a cancel, in ms: someone is waiting. */
const LAST_READ = 2_000;
/** How long a probe's call may still take once the watcher ends, in ms: its request is known as ours only by its answer. */
const LAST_CALL = 2_000;
/** Between two looks at the alarms, in ms; they change by the minute. */
const ALARMS = 5_000;
/** Points of the evidence over time that a stretch keeps. */
const POINTS = 40;
/** What Temporal's SDK says when the worker, and not the workflow, ends an activity. */
const SHUTDOWN = 'WORKER_SHUTDOWN';

/** A metric's source, and how far it was read. */
interface Reader {
  metric: MetricSpec;
  name: string;
  source: Source;
  /** Id of the last tick; when the weight began, before the first. */
  since: number;
}

export interface WatchDeps {
  driver: Pick<PlatformDriver, 'invoke' | 'address' | 'source' | 'alarms'>;
  egress: Egress;
  /** Ends the watch. */
  signal: AbortSignal;
  heartbeat: (details: WatchHeartbeat) => void;
  /** What the attempt before this one said last. */
  lastHeartbeat?: WatchHeartbeat;
  /** ms since the epoch. */
  now: () => number;
  /** The machine's unless given. */
  clock?: Clock;
  judge: Judge;
}

/**
 * Watches until the verdict is unhealthy, or good enough to pass early or to end a hold where that is wanted, or the signal
 * is aborted; after a cancel the metrics are read once more, so that the end of a bake sees fresh counts. No failure of a probe or a metric makes it throw.
 * Errors: SLUICE_PROVIDER when its worker shuts down, so that the next attempt goes on elsewhere.
 */
export async function watch(input: WatchInput, deps: WatchDeps): Promise<WatchReport> {
  return new Watch(input, deps).run();
}

class Watch {
  private state;
  private series: SeriesPoint[];
  private readonly tally: Tally;
  private readonly asked: Questions;
  private readonly probes: OwnRequests;
  /** Whose first call by which probe has been made. */
  private readonly met: Set<string>;
  private readonly readers: Reader[];
  private readonly stop = new AbortController();
  /** Ends the probes' calls in flight. */
  private readonly calls = new AbortController();

  constructor(
    private readonly input: WatchInput,
    private readonly deps: WatchDeps,
  ) {
    const last = deps.lastHeartbeat?.report;
    this.state = deps.judge.enter(last?.state ?? input.state ?? deps.judge.start(input.weight), input.weight);
    this.series = last?.series ?? [];
    this.tally = new Tally(last?.errors);
    this.asked = new Questions(last?.asked);
    this.met = new Set(deps.lastHeartbeat?.met);
    this.probes = new OwnRequests(last?.own ?? input.own);
    // Without traffic there are no users to count.
    this.readers = input.weight > 0 ? input.spec.health.metrics.map((metric) => this.reader(metric)) : [];
    // One listener for each call in flight: dozens at the same time are meant.
    setMaxListeners(0, this.stop.signal, this.calls.signal);
  }

  async run(): Promise<WatchReport> {
    const { signal } = this.deps;
    const cancel = () => this.stop.abort();
    signal.addEventListener('abort', cancel, { once: true });
    const calling = this.endCalls();
    if (signal.aborted || this.isUnhealthy()) cancel();
    const life = new AbortController();
    const beating = this.repeat(life.signal, BEAT, async () => this.beat());
    try {
      await Promise.all([...this.loops(), aborted(this.stop.signal)]);
      if (signal.aborted) await this.cancelled();
      // What decided came between two heartbeats, and the series ends with it.
      this.draw(this.deps.judge.verdict(this.state));
      return this.report();
    } finally {
      signal.removeEventListener('abort', cancel);
      calling();
      life.abort();
      await beating;
    }
  }

  /** Lets the calls in flight end a little after the watcher, or at once where it has found harm. Answers what ends the wait. */
  private endCalls(): () => void {
    let timer: NodeJS.Timeout | undefined;
    const ended = () => {
      if (this.isUnhealthy()) this.calls.abort();
      else timer = setTimeout(() => this.calls.abort(), LAST_CALL);
    };
    this.stop.signal.addEventListener('abort', ended, { once: true });
    return () => {
      clearTimeout(timer);
      this.calls.abort();
    };
  }

  private loops(): Promise<void>[] {
    const { spec, stable, candidate, weight } = this.input;
    // Without traffic there are no users to count, and nothing that stable's probes could be compared with.
    const against = weight > 0 && stable !== null && stable !== candidate ? [['stable', stable] as const] : [];
    const arms = [['candidate', candidate] as const, ...against];
    const { signal } = this.stop;
    const alarms = weight > 0 ? spec.health.alarms : [];
    return [
      ...spec.health.probes.flatMap((probe) => this.probing(probe, arms)),
      ...(alarms.length > 0 ? [this.repeat(signal, ALARMS, () => this.alarms(alarms))] : []),
      ...this.readers.map((reader) => this.repeat(signal, reader.metric.every, () => this.read(reader, signal, READ))),
    ];
  }

  private reader(metric: MetricSpec): Reader {
    const { spec, stable, candidate, from } = this.input;
    const of = { spec, stable, candidate, from, now: this.deps.now, isProbe: (id: string) => this.probes.has(id) };
    const name = metricSource(metric);
    const source = opened(() => sourceOf(metric, of, this.deps.driver, this.deps.egress));
    const known = source.seesProbes === true ? this.probes.since + windowOf(metric) : 0;
    return { metric, name, source, since: Math.max(from, this.lastId(name), known) };
  }

  /** A probe's calls, release by release, and the ticks they make. */
  private probing(probe: ProbeSpec, arms: (readonly [Arm, string])[]): Promise<void>[] {
    const { signal } = this.stop;
    const counts = new ProbeCounts(arms.map(([arm]) => arm));
    const source = probeSource(probe);
    let pace = probe.every;
    const look = async () => {
      const tick = counts.look();
      if (tick === null) return;
      pace = paceAfter(tick.candidate, probe.every);
      this.take(source, tick);
    };
    return [
      ...arms.map(([arm, version]) =>
        this.repeat(
          signal,
          () => pace,
          () => this.probe(probe, arm, version, counts),
        ),
      ),
      this.repeat(signal, () => lookEvery(pace), look).then(() => this.takeRest(source, counts)),
    ];
  }

  private repeat(signal: AbortSignal, ms: number | (() => number), work: () => Promise<void>): Promise<void> {
    return repeat(signal, ms, work, this.deps.clock);
  }

  private takeRest(source: string, counts: ProbeCounts): void {
    const rest = counts.close();
    if (rest.candidate !== null || rest.stable !== null) this.take(source, rest);
  }

  private async probe(probe: ProbeSpec, arm: Arm, version: string, counts: ProbeCounts): Promise<void> {
    const source = probeSource(probe);
    const meets = `${source} ${arm}`;
    const first = !this.met.has(meets);
    try {
      const { spec, from } = this.input;
      const { driver, egress } = this.deps;
      const call = { probe, spec, version, ...(first ? { patience: Math.max(FIRST_CALL, probe.latency) } : {}) };
      const sent = this.deps.now();
      const result = await runProbe(call, driver, readContext(this.calls.signal, from), egress);
      if (result.requestId !== undefined) this.probes.add(result.requestId, sent);
      if (this.stop.signal.aborted) return;
      this.met.add(meets);
      // A cold start says nothing of the release, and cold or warm it must get the same verdict.
      if (first && result.slow === true) return;
      if (!result.ok && arm === 'candidate') this.tally.add(`${source}: ${result.why}`);
      counts.add(arm, result.ok);
    } catch (error) {
      // A call that could not be made says nothing of the release; only the candidate has to be seen.
      if (this.stop.signal.aborted || arm === 'stable') return;
      this.take(source, { stable: null, candidate: null, blind: messageOf(error) });
    }
  }

  private async alarms(alarms: AlarmSpec[]): Promise<void> {
    const { spec } = this.input;
    try {
      const states = await bounded(this.stop.signal, READ, (signal) => alarmStates(this.deps.driver, spec, signal));
      const said = alarms.map(({ name, alarm }) => [name, firing(states[name], alarm)] as const);
      this.heed(this.deps.judge.alarms(this.state, Object.fromEntries(said)));
    } catch (error) {
      if (!this.stop.signal.aborted) this.heed(this.deps.judge.alarms(this.state, { blind: messageOf(error) }));
    }
  }

  private async read(reader: Reader, signal: AbortSignal, ms: number): Promise<void> {
    try {
      const reading = await bounded(signal, ms, (own) => reader.source.read({ signal: own }, reader.since));
      this.asked.note(reader.name, reading.asked);
      for (const tick of reading.ticks) this.count(reader, tick);
    } catch (error) {
      if (signal.aborted) return;
      const why = messageOf(error);
      this.asked.note(reader.name, [{ query: 'the last read', answer: why }]);
      if (!reader.metric.dryRun) this.take(reader.name, { stable: null, candidate: null, blind: why });
    }
  }

  private count(reader: Reader, { id, stable, candidate }: SourceTick): void {
    reader.since = id;
    // Tried out only: a person sees what was asked and answered, the judge does not.
    if (reader.metric.dryRun) return;
    this.feed({ source: reader.name, id, stable, candidate, seen: true });
  }

  /**
   * Counts one tick of a source without its own ids: a probe, or a read that failed. A failed read moves the source's last id
   * by a millisecond, which is before the end of its next stretch.
   */
  private take(source: string, tick: Omit<Tick, 'source' | 'id'>): void {
    this.feed({ ...tick, source, id: this.lastId(source) + 1 });
  }

  private feed(tick: Tick): void {
    this.heed(this.deps.judge.tick(this.state, tick));
  }

  private heed(state: JudgeState): void {
    this.state = state;
    if (this.state.unhealthy !== null) this.stop.abort();
  }

  /** Of a source's last tick, across attempts. */
  private lastId(source: string): number {
    return (Object.hasOwn(this.state.sources, source) ? this.state.sources[source]?.counts.lastId : undefined) ?? -1;
  }

  /** After a cancel: by the worker, the next attempt goes on from a last heartbeat; by the workflow, fresh counts are due. */
  private async cancelled(): Promise<void> {
    const { reason } = this.deps.signal as { reason?: { message?: unknown } };
    if (reason?.message === SHUTDOWN) {
      this.beat();
      throw new SluiceError('SLUICE_PROVIDER', 'the worker is shutting down; another one continues watching');
    }
    const fresh = new AbortController();
    await Promise.all(this.readers.map((reader) => this.read(reader, fresh.signal, LAST_READ)));
  }

  private isUnhealthy(): boolean {
    return this.state.unhealthy !== null;
  }

  private report(): WatchReport {
    return {
      verdict: this.deps.judge.verdict(this.state),
      state: this.state,
      errors: this.tally.top(),
      series: this.series,
      asked: this.asked.all(),
      ...this.handOn(),
    };
  }

  /** Our requests that a source will read after this watcher, if one sees them. */
  private handOn(): { own?: HandedOn } {
    const seeing = this.readers.filter(({ source }) => source.seesProbes === true);
    if (seeing.length === 0) return {};
    // The next stretch begins a window before it ends, and a call is logged when it ends.
    const from = Math.min(...seeing.map(({ since, metric }) => since - windowOf(metric)));
    return { own: this.probes.handOn(from - FIRST_CALL) };
  }

  private beat(): void {
    const verdict = this.deps.judge.verdict(this.state);
    const at = this.draw(verdict);
    const { earliest, held } = this.input;
    if (held && verdict.state === 'healthy') {
      // Not in a heartbeat: nobody is to see a healthy verdict beside a hold that it ends.
      this.stop.abort();
      return;
    }
    this.deps.heartbeat({ report: this.report(), at, met: [...this.met] });
    if (earliest !== null && at >= earliest && verdict.passes) this.stop.abort();
  }

  /** Adds a point to the series; when that was, in ms since the epoch. */
  private draw(verdict: Verdict): number {
    const { logE, limit, stable, candidate } = verdict;
    const at = this.deps.now();
    const calls = probeCalls(verdict);
    const probes = calls === null ? {} : { probes: calls };
    const point = { at, weight: this.input.weight, logE, limit, stable, candidate, ...probes };
    this.series = extended(this.series, point, POINTS);
    return at;
  }
}

/** Length of a stretch, in ms. */
function windowOf(metric: MetricSpec): number {
  return 'window' in metric ? (metric.window ?? 0) : 0;
}

/** Errors: SLUICE_TARGET when there is no such alarm. */
function firing(state: AlarmState | null | undefined, alarm: string): boolean {
  if (state == null)
    throw new SluiceError('SLUICE_TARGET', `there is no alarm "${alarm}" in the target's account and region`);
  return state.state === 'ALARM';
}

/** A source that cannot be had is one that cannot be read. */
function opened(make: () => Source): Source {
  try {
    return make();
  } catch (error) {
    return { read: () => Promise.reject(error) };
  }
}

function messageOf(error: unknown): string {
  return clean(error instanceof Error ? error.message : error);
}
