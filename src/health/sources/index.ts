/** The sources of users' counts: the platform's own, and servers that anyone may run. */

import type { Egress } from '../../egress/index.js';
import { SluiceError } from '../../model/errors.js';
import type { AlarmSpec, MetricOf, MetricSpec, ServerMetricKind, Spec } from '../../model/spec.js';
import type { PlatformDriver } from '../../platforms/port.js';
import { httpSource } from './http/index.js';
import { prometheusSource } from './prometheus/index.js';
import type { AlarmState, Source, SourceOf } from './source.js';

export type { AlarmState, Asked, Source, SourceOf, SourceTick } from './source.js';

/** Errors: SLUICE_SPEC for a kind that the target's platform does not have. */
export function sourceOf(
  metric: MetricSpec,
  of: SourceOf,
  driver: Pick<PlatformDriver, 'source' | 'address'>,
  egress: Egress,
): Source {
  if (isOfServer(metric)) {
    const make: Make<MetricOf<ServerMetricKind>> = SERVERS[metric.kind];
    return make.source(metric, of, { driver, egress });
  }
  return driver.source(metric, of) ?? unknownKind('metric', metric, of.spec);
}

interface Make<M> {
  source(metric: M, of: SourceOf, by: { driver: Pick<PlatformDriver, 'address'>; egress: Egress }): Source;
}

/** The sources that are servers anyone may run, by kind. */
const SERVERS: { readonly [K in ServerMetricKind]: Make<MetricOf<K>> } = {
  prometheus: { source: (metric, of, { egress }) => prometheusSource(metric, of, egress) },
  http: { source: (metric, of, { driver, egress }) => httpSource(metric, of, driver, egress) },
};

function isOfServer(metric: MetricSpec): metric is MetricOf<ServerMetricKind> {
  return Object.hasOwn(SERVERS, metric.kind);
}

/**
 * The state of each of the spec's alarms by the name the spec gives it; null where there is no such alarm. Errors: SLUICE_SPEC
 * for a kind that the target's platform does not have, and the driver's.
 */
export async function alarmStates(
  driver: Pick<PlatformDriver, 'alarms'>,
  spec: Spec,
  signal: AbortSignal,
): Promise<Record<string, AlarmState | null>> {
  const { alarms } = spec.health;
  const kinds = [...new Set(alarms.map(({ kind }) => kind))];
  const states = kinds.map(async (kind) => {
    const ofKind = alarms.filter((alarm) => alarm.kind === kind);
    const source = driver.alarms(kind, spec) ?? unknownKind('alarm', ofKind[0] as AlarmSpec, spec);
    const names = ofKind.map(({ alarm }) => alarm);
    const found = await source.states({ signal }, names);
    return ofKind.map(({ name, alarm }) => [name, found[alarm] ?? null] as const);
  });
  return Object.fromEntries((await Promise.all(states)).flat());
}

function unknownKind(
  what: 'metric' | 'alarm',
  { name, kind }: { name: string; kind: string },
  { target }: Spec,
): never {
  throw new SluiceError('SLUICE_SPEC', `${what} ${name} is of kind ${kind}, which ${target.platform} does not have`);
}
