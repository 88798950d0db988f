/** A function that can be called, measured and broken at will, seen through the part of the driver that health needs. */
import type { AlarmState, Alarms, Reading, Source } from '../../src/health/sources/source.js';
import type { Counts } from '../../src/judge/types.js';
import type { ProbeSpec, Spec } from '../../src/model/spec.js';
import type { Address, PlatformDriver, ReleaseAnswer } from '../../src/platforms/port.js';
import { readContext } from '../../src/platforms/shared/read-context.js';
import { specFor } from '../support/specs.js';

type Health = Pick<PlatformDriver, 'invoke' | 'address' | 'source' | 'alarms'>;

export class FunctionDouble implements Health {
  /** Calls by version. */
  readonly calls: Record<string, number> = {};
  mostInFlight: Record<string, number> = {};
  reads = 0;
  answer: (version: string) => ReleaseAnswer | Promise<ReleaseAnswer> = (version) => answered(version);
  /** The answer of every metric's source. */
  counted: (since: number, signal: AbortSignal) => Reading | Promise<Reading> = () => ({ ticks: [], asked: [] });
  /** The state of an alarm by its name; null: there is none. */
  alarm: (name: string) => AlarmState | null = () => null;
  /** Where HTTP reaches a release. */
  place: (version: string) => Address | Promise<Address> = (version) => ({ host: `${version}.invalid`, headers: {} });
  private readonly open: Record<string, number> = {};

  async invoke(...[, { version }]: Parameters<Health['invoke']>): Promise<ReleaseAnswer> {
    this.calls[version] = (this.calls[version] ?? 0) + 1;
    this.open[version] = (this.open[version] ?? 0) + 1;
    this.mostInFlight[version] = Math.max(this.mostInFlight[version] ?? 0, this.open[version]);
    try {
      return await this.answer(version);
    } finally {
      this.open[version] = (this.open[version] ?? 1) - 1;
    }
  }

  async address(...[, { version }]: Parameters<Health['address']>): Promise<Address> {
    return this.place(version);
  }

  source(..._: Parameters<Health['source']>): Source | null {
    return {
      read: async ({ signal }, since) => {
        this.reads += 1;
        return this.counted(since, signal);
      },
    };
  }

  alarms(..._: Parameters<Health['alarms']>): Alarms {
    return { states: async (_ctx, names) => Object.fromEntries(names.map((name) => [name, this.alarm(name)])) };
  }
}

/** A source's answer of one stretch that ended at `id`. */
export function stretch(id: number, candidate: Counts | null, stable: Counts | null = null): Reading {
  return { ticks: [{ id, stable, candidate }], asked: [] };
}

export function answered(version: string, more: Partial<ReleaseAnswer> = {}): ReleaseAnswer {
  return { executedVersion: version, functionError: null, body: { statusCode: 200 }, latencyMs: 1, ...more };
}

export function failedWith(version: string, type: string, message: string): ReleaseAnswer {
  return answered(version, { functionError: { type, message } });
}

export function probeSpec(more: Partial<ProbeSpec> = {}): ProbeSpec {
  return {
    name: 'smoke',
    kind: 'invoke',
    payload: {},
    expect: {},
    latency: 1_000,
    every: 20,
    safe: false,
    smoke: 3,
    ...more,
  };
}

export function httpProbe(url: string, more: Partial<ProbeSpec> = {}): ProbeSpec {
  const { payload: _, ...rest } = probeSpec({ name: 'page', kind: 'http', url, ...more });
  return rest;
}

export function specWith(probes: ProbeSpec[], metrics: Spec['health']['metrics'] = []): Spec {
  const spec = specFor({ type: 'direct', bake: 1_000 });
  return { ...spec, health: { ...spec.health, probes, metrics } };
}

/** A context for calls that nobody cancels. */
export function calm(signal = new AbortController().signal) {
  return readContext(signal, 0);
}
