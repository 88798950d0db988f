/** A version's most frequent errors, from CloudWatch Logs. */
import { type CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { SluiceError } from '../../../model/errors.js';
import type { ErrorSample } from '../../port.js';
import { sample } from '../../shared/log-lines.js';
import { callFree, type Session } from './client.js';

/** Most log events read for a sample: enough to see what is frequent. */
const ENOUGH = 1_000;
const PAGES = 5;
/**
 * What the lines contain in which runtimes report a failed invocation. Queried one by one, since not every server of this API
 * treats an "or" of terms the same way.
 */
const PATTERNS = ['ERROR', '"Task timed out"'];

/**
 * The most frequent errors that a version has logged since `from` (ms since the epoch), three at most. A log stream has the
 * version in its name (`2026/11/24/[7]…`). Logs that cannot be read are not a failure: the list is empty then.
 */
export async function errors(
  session: Session,
  { version, from, group }: { version: string; from: number; group: string },
): Promise<ErrorSample[]> {
  const { logs } = session.clients;
  try {
    const lines = await Promise.all(
      PATTERNS.map((pattern) => linesWith(session, logs, { pattern, version, from, group })),
    );
    return sample(lines.flat());
  } catch (error) {
    // Whatever keeps the logs from being read: a rollback is not less of one for it. A cancel is a cancel.
    if (error instanceof SluiceError) return [];
    throw error;
  }
}

async function linesWith(
  session: Session,
  logs: CloudWatchLogsClient,
  { pattern, version, from, group }: { pattern: string; version: string; from: number; group: string },
): Promise<string[]> {
  const lines: string[] = [];
  let token: string | undefined;
  for (let page = 0; page < PAGES && lines.length < ENOUGH; page += 1) {
    const input = { logGroupName: group, startTime: from, filterPattern: pattern, nextToken: token, limit: ENOUGH };
    const found = await callFree(session, logs, new FilterLogEventsCommand(input));
    for (const event of found.events ?? []) {
      if (event.logStreamName?.includes(`[${version}]`)) lines.push(event.message ?? '');
    }
    token = found.nextToken;
    if (!token) break;
  }
  return lines;
}
