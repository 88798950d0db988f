/** The state of alarms, from CloudWatch. */
import { DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import type { AlarmState, Alarms } from '../../../../health/sources/source.js';
import { callFree, type Session } from '../../driver/client.js';

/** Names of one call, and alarms of one answer (DescribeAlarms in CloudWatch's API reference). */
const PAGE = 100;

/** CloudWatch's alarms, those on metrics and those composed of others. */
export function alarms(open: (signal: AbortSignal) => Session): Alarms {
  return {
    async states({ signal }, names) {
      const session = open(signal);
      const found: Record<string, AlarmState | null> = Object.fromEntries(names.map((name) => [name, null]));
      for (let i = 0; i < names.length; i += PAGE) {
        Object.assign(found, await statesOf(session, names.slice(i, i + PAGE)));
      }
      return found;
    },
  };
}

async function statesOf(session: Session, names: string[]): Promise<Record<string, AlarmState>> {
  const states: Record<string, AlarmState> = {};
  for (let token: string | undefined; ; ) {
    const page = await callFree(
      session,
      session.clients.cloudwatch,
      new DescribeAlarmsCommand({
        AlarmNames: names,
        AlarmTypes: ['MetricAlarm', 'CompositeAlarm'],
        MaxRecords: PAGE,
        NextToken: token,
      }),
    );
    for (const alarm of [...(page.MetricAlarms ?? []), ...(page.CompositeAlarms ?? [])]) {
      states[alarm.AlarmName ?? ''] = {
        state: alarm.StateValue ?? 'INSUFFICIENT_DATA',
        since: (alarm.StateTransitionedTimestamp ?? alarm.StateUpdatedTimestamp)?.getTime() ?? 0,
        why: alarm.StateReason ?? '',
      };
    }
    token = page.NextToken;
    if (!token) return states;
  }
}
