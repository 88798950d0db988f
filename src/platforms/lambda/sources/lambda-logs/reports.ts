/** The report that Lambda logs after each invocation, read from CloudWatch Logs. */
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { SluiceError } from '../../../../model/errors.js';
import { callFree, type Session } from '../../driver/client.js';

/** One finished invocation. */
export interface Report {
  requestId: string;
  version: string;
  /** When it ended, in ms since the epoch. */
  at: number;
  ok: boolean;
  /** ms. */
  duration: number;
}

export const PATTERN = '{ $.type = "platform.report" }';
/** Pages of 1 MB: some hundred thousand requests. More of them in one read are for CloudWatch's own counts. */
const PAGES = 50;

/**
 * All reports of a log group from `start` to `end` (ms since the epoch, both included).
 * Errors: SLUICE_PROVIDER when there are too many; what CloudWatch Logs refuses.
 */
export async function reportsIn(
  session: Session,
  { group, start, end }: { group: string; start: number; end: number },
): Promise<Report[]> {
  const { logs } = session.clients;
  const reports: Report[] = [];
  let token: string | undefined;
  for (let page = 0; page < PAGES; page += 1) {
    const input = { logGroupName: group, startTime: start, endTime: end, filterPattern: PATTERN, nextToken: token };
    const found = await callFree(session, logs, new FilterLogEventsCommand(input));
    for (const event of found.events ?? []) {
      const version = versionIn(event.logStreamName ?? '', session.target.function);
      const report = version === null ? null : reportIn(event.message ?? '');
      if (version !== null && report !== null) reports.push({ ...report, version, at: event.timestamp ?? 0 });
    }
    // A page may be empty or half full and yet not be the last one ("FilterLogEvents").
    token = found.nextToken;
    if (!token) return reports;
  }
  throw new SluiceError(
    'SLUICE_PROVIDER',
    `${group} has more than ${PAGES} MB of reports at once; use a shorter window, or the metric cloudwatch`,
  );
}

/** `2026/11/24/[7]…`, and `2026/11/24/<function>[7]…` in a log group that functions share. */
function versionIn(stream: string, fn: string): string | null {
  const [, name, version] = /^\d{4}\/\d\d\/\d\d\/([^[]*)\[([^\]]+)\]/.exec(stream) ?? [];
  return version === undefined || (name !== '' && name !== fn) ? null : version;
}

/** Null for a line that is no report. `success` is the only good status ("platform.report" in the Telemetry API's schema). */
function reportIn(line: string): Omit<Report, 'version' | 'at'> | null {
  let said: { type?: unknown; record?: { requestId?: unknown; status?: unknown; metrics?: { durationMs?: unknown } } };
  try {
    said = JSON.parse(line);
  } catch {
    return null;
  }
  const { type, record } = said;
  if (type !== 'platform.report' || typeof record?.requestId !== 'string') return null;
  return {
    requestId: record.requestId,
    ok: record.status === 'success',
    duration: Number(record.metrics?.durationMs ?? 0),
  };
}
