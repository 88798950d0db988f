/** CloudWatch's closed minutes of a function, as the models of the other tools read them. */
import { CloudWatchClient, GetMetricDataCommand, type MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import type { Minute } from './flagger.js';
import { ALIAS, CANDIDATE, clientOptions } from './targets.js';

const MINUTE = 60_000;
/** How far back is read, in minutes: more than any model looks at. */
const BACK = 4;
/** Milliseconds from a minute's end until it is published and stays as it is, as on AWS. */
export const DELAY = MINUTE;

interface Seen {
  /** Errors of the alias, minute by minute, oldest first; null where there is no data. */
  aliasErrors: (number | null)[];
  /** The candidate's last minute; null where there is no data. */
  candidate: Minute | null;
}

export class Minutes {
  private readonly client: CloudWatchClient;

  constructor(endpoint: string) {
    this.client = new CloudWatchClient(clientOptions(endpoint));
  }

  /** What is published at `now`, ms since the epoch. */
  async read(name: string, now: number): Promise<Seen> {
    const end = Math.floor((now - DELAY) / MINUTE) * MINUTE;
    const starts = Array.from({ length: BACK }, (_, at) => end - (BACK - at) * MINUTE);
    const answer = await this.client.send(
      new GetMetricDataCommand({
        StartTime: new Date(starts[0] ?? end),
        EndTime: new Date(end),
        MetricDataQueries: [
          query('alias', name, 'Errors', 'Sum', null),
          query('requests', name, 'Invocations', 'Sum', CANDIDATE),
          query('errors', name, 'Errors', 'Sum', CANDIDATE),
          query('p99', name, 'Duration', 'p99', CANDIDATE),
        ],
      }),
    );
    const at = (id: string, start: number): number | null => {
      const found = answer.MetricDataResults?.find(({ Id }) => Id === id);
      const index = found?.Timestamps?.findIndex((time) => time.getTime() === start) ?? -1;
      return found?.Values?.[index] ?? null;
    };
    const last = end - MINUTE;
    const requests = at('requests', last);
    return {
      aliasErrors: starts.map((start) => at('alias', start)),
      candidate: requests === null ? null : { requests, errors: at('errors', last) ?? 0, p99: at('p99', last) },
    };
  }

  close(): void {
    this.client.destroy();
  }
}

function query(Id: string, name: string, MetricName: string, Stat: string, version: string | null): MetricDataQuery {
  const Dimensions = [
    { Name: 'FunctionName', Value: name },
    { Name: 'Resource', Value: `${name}:${ALIAS}` },
    ...(version === null ? [] : [{ Name: 'ExecutedVersion', Value: version }]),
  ];
  return { Id, MetricStat: { Metric: { Namespace: 'AWS/Lambda', MetricName, Dimensions }, Period: 60, Stat } };
}
