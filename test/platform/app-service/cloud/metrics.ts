import type { Reply } from './cloud.js';

interface Minute {
  resource: string;
  begin: number;
  requests: number;
  errors: number;
}

const NAMES = { Requests: 'requests', Http5xx: 'errors' } as const;

/** Azure Monitor's minutes, as its batch API tells them ("Metrics - Batch"). */
export class Metrics {
  private readonly minutes: Minute[] = [];

  add(minute: Minute): void {
    this.minutes.push(minute);
  }

  answer(query: URLSearchParams, body: Buffer): Reply {
    const { resourceids } = JSON.parse(body.toString('utf8')) as { resourceids: string[] };
    const [start, end] = ['starttime', 'endtime'].map((name) => Date.parse(query.get(name) ?? '')) as [number, number];
    const names = (query.get('metricnames') ?? '').split(',') as (keyof typeof NAMES)[];
    const values = resourceids.map((resource) => {
      const own = this.minutes.filter((one) => one.resource === resource && one.begin >= start && one.begin < end);
      return {
        starttime: query.get('starttime'),
        endtime: query.get('endtime'),
        interval: 'PT1M',
        namespace: query.get('metricnamespace'),
        resourceregion: 'westeurope',
        resourceid: resource,
        value: names.map((name) => ({
          id: `${resource}/${name}`,
          type: 'Microsoft.Insights/metrics',
          name: { value: name },
          unit: 'Count',
          timeseries: [
            {
              metadatavalues: [],
              data: own.map((one) => ({ timeStamp: new Date(one.begin).toISOString(), total: one[NAMES[name]] })),
            },
          ],
        })),
      };
    });
    return { status: 200, body: { values } };
  }
}
