import { type CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { SluiceError } from '../../../src/model/errors.js';
import { clean } from '../../../src/model/text.js';
import type { ErrorSample } from '../platform.js';
import { callFree, type Session } from './client.js';

/** Most log events looked at for a sample: enough to see what is frequent. */
const ENOUGH = 1_000;
const PAGES = 5;
const MOST = 3;
/**
 * What stands in the lines in which runtimes report a failed invocation. Asked one by one: an "or" of terms is not
 * understood the same way everywhere that speaks this API.
 */
const PATTERNS = ['ERROR', '"Task timed out"'];
const REQUEST_ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;

/**
 * The most frequent errors a version has logged since `from` (ms since the epoch), three at most. A log stream has the
 * version in its name (`2026/11/24/[7]…`). Logs that cannot be read are no reason to fail: then there are none.
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

/** Groups log lines by what went wrong, most frequent first. Pure. */
export function sample(lines: string[]): ErrorSample[] {
  const groups = new Map<string, ErrorSample>();
  for (const line of lines) {
    const what = whatWentWrong(line);
    if (what === null) continue;
    const requestId = REQUEST_ID.exec(line)?.[0];
    // The same failure with another number or id in its text is the same failure.
    const key = what.replace(/[0-9a-f-]{16,}|\d+/gi, '#');
    const group = groups.get(key) ?? { what, count: 0, ...(requestId === undefined ? {} : { requestId }) };
    groups.set(key, { ...group, count: group.count + 1 });
  }
  return [...groups.values()].sort((a, b) => b.count - a.count).slice(0, MOST);
}

function whatWentWrong(line: string): string | null {
  const type = /"errorType"\s*:\s*"([^"]+)"/.exec(line)?.[1];
  const message = /"errorMessage"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
  if (type !== undefined) return clean(message ? `${type}: ${message}` : type);
  if (line.includes('Task timed out')) return clean(/Task timed out.*/.exec(line)?.[0]);
  // Node: `<time>\t<request>\tERROR\t<text>`; Python: `[ERROR] <text>`; JSON logging: level and message; else a bare error.
  const plain =
    /(?:\tERROR\t|\[ERROR\]\s*)([\s\S]+)/.exec(line)?.[1] ??
    (/"level"\s*:\s*"ERROR"/.test(line) ? /"message"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(line)?.[1] : undefined) ??
    /^(?:[\w.]+\.)?\w*(?:Error|Exception)\b.*/.exec(line.trim())?.[0];
  return plain === undefined ? null : clean(plain.split(/\n|\r/)[0]);
}
