/** What lines of a log say of what went wrong, whatever platform kept them. Pure. */
import { clean } from '../../model/text.js';
import type { ErrorSample } from '../port.js';

const MOST = 3;
const REQUEST_ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;

/** Groups log lines by what went wrong, most frequent first, three at most. */
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
