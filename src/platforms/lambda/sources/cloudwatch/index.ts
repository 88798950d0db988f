/**
 * Users' requests through the alias, by the version that served them, in CloudWatch's minutes: `Invocations`, `Errors` and
 * `Duration` with dimensions FunctionName, Resource `function:alias` and ExecutedVersion ("Types of metrics for Lambda
 * functions"). A point has the time at which its invocation began, and is published when it has ended.
 */
import type { MetricStat } from '@aws-sdk/client-cloudwatch';
import type { Asked, Source, SourceOf, SourceTick } from '../../../../health/sources/source.js';
import { closedEnds, releasesOf } from '../../../../health/sources/stretches.js';
import type { Counts } from '../../../../judge/types.js';
import type { CloudwatchMetric } from '../../../../model/spec.js';
import { onLambda } from '../../driver/client.js';
import type { MetricBatch, MetricValues } from './batch.js';

const MINUTE = 60_000;
/** Minutes of one read. */
const MOST = 180;

export function cloudwatchSource(metric: CloudwatchMetric, of: SourceOf, batch: MetricBatch): Source {
  return {
    async read({ signal }, since) {
      const ends = closedEnds({ length: MINUTE, delay: metric.delay, now: of.now(), since, most: MOST });
      const [first, last] = [ends[0], ends.at(-1)];
      if (first === undefined || last === undefined) return { ticks: [], asked: [] };
      const releases = releasesOf(of);
      const stats = Object.assign({}, ...releases.map(([arm, version]) => statsOf(metric, of, arm, version)));
      const values = await batch.ask({ stats, start: first - MINUTE, end: last }, signal);
      const ticks = ends.map((id): SourceTick => {
        const tick: SourceTick = { id, stable: null, candidate: null };
        for (const [arm] of releases) tick[arm] = countsAt(values, arm, id - MINUTE);
        return tick;
      });
      return {
        ticks,
        asked: releases.map(([arm, version]) => shown(metric, of, version, ticks.at(-1)?.[arm] ?? null, last)),
      };
    },
  };
}

type Arm = 'stable' | 'candidate';

/**
 * `TC(800:)` is the number of values above 800, the bound itself excluded ("CloudWatch statistics definitions"): a count,
 * unlike the percentile rank, which is a rounded share. It is absent where there is no value at all or none above, so that
 * the number of all durations tells none from unknown.
 */
function statsOf(metric: CloudwatchMetric, of: SourceOf, arm: Arm, version: string): Record<string, MetricStat> {
  const stat = (name: string, kind: string) => statistic(metric, of, version, name, kind);
  return {
    [`${arm} requests`]: stat('Invocations', 'Sum'),
    [`${arm} errors`]: stat('Errors', 'Sum'),
    ...(metric.latency === undefined
      ? {}
      : {
          [`${arm} slow`]: stat('Duration', `TC(${metric.latency}:)`),
          [`${arm} durations`]: stat('Duration', 'SampleCount'),
        }),
  };
}

function statistic(metric: CloudwatchMetric, of: SourceOf, version: string, name: string, kind: string): MetricStat {
  const { function: fn, alias } = onLambda(of.spec.target);
  return {
    Metric: {
      Namespace: metric.namespace,
      MetricName: name,
      Dimensions: [
        { Name: 'FunctionName', Value: fn },
        { Name: 'Resource', Value: `${fn}:${alias}` },
        { Name: 'ExecutedVersion', Value: version },
      ],
    },
    Period: MINUTE / 1000,
    Stat: kind,
  };
}

function countsAt(values: MetricValues, arm: Arm, begin: number): Counts | null {
  const at = (name: string) => values.get(`${arm} ${name}`)?.get(begin);
  const requests = at('requests');
  if (requests === undefined) return null;
  const slow = at('slow') ?? (at('durations') === undefined ? undefined : 0);
  return { requests, errors: at('errors') ?? 0, ...(slow === undefined ? {} : { slow }) };
}

function shown(
  { namespace, latency }: CloudwatchMetric,
  of: SourceOf,
  version: string,
  counts: Counts | null,
  end: number,
): Asked {
  const { function: fn, alias } = onLambda(of.spec.target);
  const names = `Invocations, Errors${latency === undefined ? '' : `, Duration TC(${latency}:)`}`;
  const said =
    counts === null
      ? 'no data'
      : `${counts.requests} requests, ${counts.errors} errors${counts.slow === undefined ? '' : `, ${counts.slow} slow`}`;
  return {
    query: `${namespace} ${names} of Resource=${fn}:${alias}, ExecutedVersion=${version}`,
    answer: `${said} in 1m until ${new Date(end).toISOString()}`,
  };
}
