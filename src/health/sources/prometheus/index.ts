/** Counts from a Prometheus server, or any server with its query API. */

import type { Egress } from '../../../egress/index.js';
import type { Counts } from '../../../judge/types.js';
import type { PrometheusMetric } from '../../../model/spec.js';
import { kitOf } from '../../../platforms/registry.js';
import { metricHeaders } from '../../../secrets/headers.js';
import { writeDuration } from '../../../spec/units.js';
import type { Asked, Reading, Source, SourceOf, SourceTick } from '../source.js';
import { closedEnds, releasesOf } from '../stretches.js';
import type { Server } from './api.js';
import { type Events, eventsOf, type Stretches } from './count.js';

/** Stretches of one read; all are asked for in one range query. */
const MOST = 100;

export function prometheusSource(metric: PrometheusMetric, of: SourceOf, { net, secrets }: Egress): Source {
  return {
    async read({ signal }, since) {
      const { window, delay } = metric;
      const ends = closedEnds({ length: window, delay, now: of.now(), since, most: MOST });
      if (ends.length === 0) return { ticks: [], asked: [] };
      const { url } = metric;
      const headers = await metricHeaders(metric, { spec: of.spec, url }, secrets, signal);
      const server: Server = { url, net, headers };
      const ticks: SourceTick[] = ends.map((id) => ({ id, stable: null, candidate: null }));
      const asked = releasesOf(of).map(async ([arm, version]) => {
        const release = await readRelease({ metric, server }, of, version, { ends, window }, signal);
        for (const tick of ticks) tick[arm] = release.counts.get(tick.id) ?? null;
        return release.asked;
      });
      const reading: Reading = { ticks, asked: (await Promise.all(asked)).flat() };
      return reading;
    },
  };
}

interface ReleaseReading {
  counts: Map<number, Counts>;
  asked: Asked[];
}

async function readRelease(
  { metric, server }: { metric: PrometheusMetric; server: Server },
  of: SourceOf,
  version: string,
  stretches: Stretches,
  signal: AbortSignal,
): Promise<ReleaseReading> {
  const asked: Asked[] = [];
  const last = stretches.ends[stretches.ends.length - 1] as number;
  const events = async (template: string): Promise<Events> => {
    const query = filledIn(template, metric, of, version);
    const found = await eventsOf(server, { template, query }, stretches, signal);
    const by = `in ${writeDuration(stretches.window)} until ${new Date(last).toISOString()}`;
    asked.push({ query, answer: `${found.get(last) ?? 'nothing'} ${by}` });
    return found;
  };
  const [requests, errors, slow] = await Promise.all([
    events(metric.requests),
    events(metric.errors),
    metric.slow === undefined ? null : events(metric.slow),
  ]);
  return { counts: countsOf(requests, errors, slow), asked };
}

/**
 * A release is known where its requests are. Series of errors often begin with the first error, so that none of them is no
 * error.
 */
function countsOf(requests: Events, errors: Events, slow: Events | null): Map<number, Counts> {
  return new Map(
    [...requests].map(([end, total]) => [
      end,
      {
        requests: total,
        errors: errors.get(end) ?? 0,
        ...(slow === null ? {} : { slow: slow.get(end) ?? 0 }),
      },
    ]),
  );
}

function filledIn(template: string, { window }: PrometheusMetric, { spec }: SourceOf, version: string): string {
  const values = {
    version,
    release: version,
    window: writeDuration(window),
    ...kitOf(spec.target.platform).placesOf(spec.target),
  };
  return Object.entries(values).reduce((query, [name, value]) => query.replaceAll(`{${name}}`, value), template);
}
