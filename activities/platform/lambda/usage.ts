import { GetMetricDataCommand, type MetricDataQuery } from '@aws-sdk/client-cloudwatch';
import { SluiceError } from '../../../src/model/errors.js';
import type { Counts, Usage } from '../platform.js';
import { callFree, type Session } from './client.js';
import { notAllowed } from './errors.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

interface UsageArgs {
  namespace: string;
  stable: string | null;
  candidate: string;
  /** ms since the epoch. */
  from: number;
}

/**
 * Users' requests through the alias by the version that served them: sums of `Invocations` and `Errors`, dimensions
 * FunctionName, Resource `function:alias`, ExecutedVersion. No data is null, not zero. Running totals, because points are
 * published late under the time of their invocation. They begin at the full minute before `from`, as CloudWatch's do.
 * Errors: SLUICE_PROVIDER when CloudWatch answers in part; what it refuses.
 */
export async function usage(session: Session, args: UsageArgs): Promise<Usage> {
  const period = periodFor(Date.now() - args.from);
  const start = Math.floor(args.from / (period * 1000)) * period * 1000;
  const arms = [
    ...(args.stable === null ? [] : [['stable', args.stable] as const]),
    ['candidate', args.candidate] as const,
  ];
  const queries = arms.flatMap(([arm, version]) => [
    query(session, args.namespace, period, `${arm}Requests`, 'Invocations', version),
    query(session, args.namespace, period, `${arm}Errors`, 'Errors', version),
  ]);
  const sums = await read(session, queries, new Date(start), new Date(Date.now() + MINUTE));
  return { stable: args.stable === null ? null : counts(sums, 'stable'), candidate: counts(sums, 'candidate') };
}

/** Seconds of a point: CloudWatch keeps minutes for 15 days and five minutes for 63. */
export function periodFor(age: number): number {
  if (age < 14 * DAY) return 60;
  return age < 62 * DAY ? 300 : 3_600;
}

function query(
  session: Session,
  namespace: string,
  period: number,
  id: string,
  metric: string,
  version: string,
): MetricDataQuery {
  const { function: fn, alias } = session.target;
  return {
    Id: id,
    MetricStat: {
      Metric: {
        Namespace: namespace,
        MetricName: metric,
        Dimensions: [
          { Name: 'FunctionName', Value: fn },
          { Name: 'Resource', Value: `${fn}:${alias}` },
          { Name: 'ExecutedVersion', Value: version },
        ],
      },
      Period: period,
      Stat: 'Sum',
    },
    ReturnData: true,
  };
}

/** Sums by query; a query without points is absent. */
async function read(
  session: Session,
  queries: MetricDataQuery[],
  start: Date,
  end: Date,
): Promise<Map<string, number>> {
  const sums = new Map<string, number>();
  for (let token: string | undefined; ; ) {
    const page = await callFree(
      session,
      session.clients.cloudwatch,
      new GetMetricDataCommand({ MetricDataQueries: queries, StartTime: start, EndTime: end, NextToken: token }),
    );
    token = page.NextToken;
    for (const result of page.MetricDataResults ?? []) {
      refuseBlind(result.StatusCode, token !== undefined, result.Messages?.[0]?.Value);
      const values = result.Values ?? [];
      if (result.Id === undefined || values.length === 0) continue;
      sums.set(
        result.Id,
        values.reduce((sum, value) => sum + value, sums.get(result.Id) ?? 0),
      );
    }
    if (!token) return sums;
  }
}

/** PartialData is normal while there are further pages, and a half-read sum at the end of them. */
function refuseBlind(status: string | undefined, more: boolean, why = 'no reason given'): void {
  if (status === 'Forbidden') {
    throw notAllowed('cloudwatch:GetMetricData', why);
  }
  if (status === 'InternalError' || (status === 'PartialData' && !more)) {
    throw new SluiceError('SLUICE_PROVIDER', `CloudWatch answered ${status}: ${why}`);
  }
}

function counts(sums: Map<string, number>, arm: 'stable' | 'candidate'): Counts | null {
  const requests = sums.get(`${arm}Requests`);
  return requests === undefined ? null : { requests, errors: sums.get(`${arm}Errors`) ?? 0 };
}
