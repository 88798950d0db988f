/** What the front door has seen: counts by slot and release, and the minutes that Azure Monitor tells. */
import { type Answer, type Call, json, parse } from '../http.js';

interface Minute {
  requests: number;
  http5xx: number;
  /** Seconds, added up. */
  time: number;
}

interface Counts {
  requests: number;
  failed: number;
}

interface Answered {
  /** The slot's resource id. */
  resource: string;
  release: string;
  status: number;
  seconds: number;
  /** When it came, in ms since the epoch. */
  at: number;
  times?: number;
}

const MINUTE = 60_000;
/** Minutes kept: the longest bake that is looked back on. */
const KEPT = 24 * 60;

export class Traffic {
  readonly #minutes = new Map<string, Map<number, Minute>>();
  readonly #releases = new Map<string, Counts>();

  /** An answered request, or as many of them as `times` says. */
  add({ resource, release, status, seconds, at, times = 1 }: Answered): void {
    const counts = this.#releases.get(release) ?? { requests: 0, failed: 0 };
    const failed = status >= 500 ? times : 0;
    counts.requests += times;
    counts.failed += failed;
    this.#releases.set(release, counts);
    const key = resource.toLowerCase();
    const minutes = this.#minutes.get(key) ?? new Map<number, Minute>();
    this.#minutes.set(key, minutes);
    const begin = at - (at % MINUTE);
    const minute = minutes.get(begin) ?? { requests: 0, http5xx: 0, time: 0 };
    minute.requests += times;
    minute.http5xx += failed;
    minute.time += seconds * times;
    minutes.set(begin, minute);
    for (const old of minutes.keys()) if (old < begin - KEPT * MINUTE) minutes.delete(old);
  }

  /** Requests of users by the release that answered. */
  byRelease(): Record<string, Counts> {
    return structuredClone(Object.fromEntries(this.#releases));
  }

  /** The batch API of Azure Monitor ("Metrics - Batch"): sums by minute; what began less than `delayMs` ago is not there yet. */
  metrics(call: Call, { region, delayMs }: { region: string; delayMs: number }): Answer {
    const query = new URL(call.path, 'http://127.0.0.1').searchParams;
    const ids = (parse(call.body).resourceids ?? []) as string[];
    const names = (query.get('metricnames') ?? '').split(',');
    const [start = '', end = ''] = ['starttime', 'endtime'].map((name) => query.get(name) ?? '');
    const until = Math.min(Date.parse(end), Date.now() - delayMs);
    const values = ids.map((id) => ({
      starttime: start,
      endtime: end,
      interval: 'PT1M',
      namespace: query.get('metricnamespace'),
      resourceregion: region,
      resourceid: id,
      value: names.map((name) => ({
        id: `${id}/providers/Microsoft.Insights/metrics/${name}`,
        type: 'Microsoft.Insights/metrics',
        name: { value: name, localizedValue: name },
        unit: 'Count',
        timeseries: [{ metadatavalues: [], data: this.#series(id, name, Date.parse(start), until) }],
      })),
    }));
    return json(200, { values });
  }

  #series(id: string, name: string, from: number, until: number): { timeStamp: string; total: number }[] {
    return [...(this.#minutes.get(id.toLowerCase()) ?? [])]
      .filter(([begin]) => begin >= from && begin + MINUTE <= until)
      .sort(([a], [b]) => a - b)
      .map(([begin, minute]) => ({ timeStamp: new Date(begin).toISOString(), total: metricOf(minute, name) }));
  }
}

/** "Supported metrics for Microsoft.Web/sites": Requests, Http5xx, HttpResponseTime. */
function metricOf({ requests, http5xx, time }: Minute, name: string): number {
  if (name === 'Requests') return requests;
  return name === 'Http5xx' ? http5xx : time;
}
