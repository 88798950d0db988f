/**
 * Calls that CloudWatch counts for a name: `Invocations` with the dimensions FunctionName and Resource, where Resource is the
 * name that was called: `fn`, `fn:$LATEST`, `fn:alias` or `fn:7` ("View metrics for Lambda functions"). Step Functions,
 * schedules, AppSync and SDKs appear in no policy; they are found here.
 */
import { GetMetricDataCommand, type MetricStat } from '@aws-sdk/client-cloudwatch';
import { MetricBatch } from '../../sources/cloudwatch/batch.js';
import { callFree, type Session } from '../client.js';

/** How far back is looked, in ms: a job of every week or two is seen. */
export const LOOK_BACK = 14 * 24 * 3_600_000;
/** Length of one count, in ms: how exactly the time of the last call is known. */
const PERIOD = 300_000;

/** Calls of one name. */
export interface Counted {
  calls: number;
  /** End of the last period that has calls, ms since the epoch. */
  until: number;
}

/** Calls of the function by its bare name, `$LATEST` written out among them. Null when there were none. `now`: ms since the epoch. */
export async function countBareCalls(session: Session, now: number): Promise<Counted | null> {
  const { function: fn } = session.target;
  return countCalls(session, [fn, `${fn}:$LATEST`], now);
}

/** Calls of the function by any of these names, such as `fn:alias`. Null when there were none. */
export async function countCalls(session: Session, names: string[], now: number): Promise<Counted | null> {
  const stats = Object.fromEntries(names.map((name, at) => [`name${at}`, invocations(session.target.function, name)]));
  const batch = new MetricBatch((input, signal) =>
    callFree(session, session.clients.cloudwatch, new GetMetricDataCommand(input), signal),
  );
  const start = Math.floor((now - LOOK_BACK) / PERIOD) * PERIOD;
  const values = await batch.ask({ stats, start, end: now + PERIOD }, session.ctx.signal);
  const counts = [...values.values()].flatMap((series) => [...series]).filter(([, count]) => count > 0);
  if (counts.length === 0) return null;
  return {
    calls: counts.reduce((sum, [, count]) => sum + count, 0),
    until: Math.max(...counts.map(([begin]) => begin)) + PERIOD,
  };
}

function invocations(fn: string, resource: string): MetricStat {
  return {
    Metric: {
      Namespace: 'AWS/Lambda',
      MetricName: 'Invocations',
      Dimensions: [
        { Name: 'FunctionName', Value: fn },
        { Name: 'Resource', Value: resource },
      ],
    },
    Period: PERIOD / 1000,
    Stat: 'Sum',
  };
}
