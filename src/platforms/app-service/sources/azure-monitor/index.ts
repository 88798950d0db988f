/**
 * Users' requests by slot, in Azure Monitor's minutes: `Requests` and `Http5xx` of the site and of its slot ("Supported
 * metrics for Microsoft.Web/sites"). Requests to Kudu are counted too, and those that fail at the front end are not counted
 * as errors, so probes stay necessary.
 */

import type { Asked, Source, SourceOf, SourceTick } from '../../../../health/sources/source.js';
import { closedEnds, releasesOf } from '../../../../health/sources/stretches.js';
import type { Counts } from '../../../../judge/types.js';
import type { AzureMonitorMetric } from '../../../../model/spec.js';
import { asked, type Session } from '../../driver/client.js';
import type { Slot } from '../../driver/state.js';

const MINUTE = 60_000;
/** Minutes of one read. */
const MOST = 180;
const NAMES = ['Requests', 'Http5xx'];

export interface AzureMonitorOptions {
  open(signal: AbortSignal): Session;
  /** Where a release runs. */
  placeOf(session: Session, release: string): Promise<Slot>;
}

export function azureMonitorSource(
  metric: AzureMonitorMetric,
  of: SourceOf,
  { open, placeOf }: AzureMonitorOptions,
): Source {
  return {
    async read({ signal }, since) {
      const ends = closedEnds({ length: MINUTE, delay: metric.delay, now: of.now(), since, most: MOST });
      const [first, last] = [ends[0], ends.at(-1)];
      if (first === undefined || last === undefined) return { ticks: [], asked: [] };
      const session = open(signal);
      const ticks = ends.map((id): SourceTick => ({ id, stable: null, candidate: null }));
      const questions: Asked[] = [];
      for (const [arm, release] of releasesOf(of)) {
        const place = await placeOf(session, release);
        const minutes = await minutesOf(session, place, { first, last });
        for (const tick of ticks) tick[arm] = minutes.get(tick.id - MINUTE) ?? null;
        questions.push(shown(place, release, ticks.at(-1)?.[arm] ?? null, last));
      }
      return { ticks, asked: questions };
    },
  };
}

/** Counts by the begin of their minute. A minute without requests has no value, or none. */
async function minutesOf(
  session: Session,
  place: Slot,
  { first, last }: { first: number; last: number },
): Promise<Map<number, Counts>> {
  const [answer] = await asked(session, 'QueryMetrics', () =>
    session.clients.metrics.queryResources([place.arm.id ?? ''], NAMES, namespaceOf(place), {
      startTime: new Date(first - MINUTE),
      endTime: new Date(last),
      interval: 'PT1M',
      aggregation: 'Total',
    }),
  );
  const totals = (name: string) => {
    const values = answer?.getMetricByName(name)?.timeseries[0]?.data ?? [];
    return new Map(
      values.flatMap(({ timeStamp, total }) => (total === undefined ? [] : [[timeStamp.getTime(), total]])),
    );
  };
  const [requests, errors] = [totals('Requests'), totals('Http5xx')];
  return new Map(
    [...requests]
      .filter(([, count]) => count > 0)
      .map(([at, count]) => [at, { requests: count, errors: errors.get(at) ?? 0 }]),
  );
}

function namespaceOf({ slot }: Slot): string {
  return slot === null ? 'Microsoft.Web/sites' : 'Microsoft.Web/sites/slots';
}

function shown(place: Slot, release: string, counts: Counts | null, end: number): Asked {
  const said = counts === null ? 'no data' : `${counts.requests} requests, ${counts.errors} errors`;
  return {
    query: `${namespaceOf(place)} ${NAMES.join(', ')} of ${place.name}, which holds ${release}`,
    answer: `${said} in 1m until ${new Date(end).toISOString()}`,
  };
}
