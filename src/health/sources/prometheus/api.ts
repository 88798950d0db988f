/** The part of Prometheus' HTTP API that is needed: range queries ("HTTP API: Range queries"). */
import { SluiceError } from '../../../model/errors.js';
import { clean } from '../../../model/text.js';
import type { Net } from '../../../net/index.js';
import { askJson, refused } from '../json.js';

/** One series: its labels, and its values by time in ms since the epoch. */
export interface Series {
  labels: Record<string, string>;
  values: Map<number, number>;
}

export interface Server {
  url: string;
  net: Net;
  headers: Record<string, string>;
}

/** What is asked: an expression, evaluated at `first`, then every `step` until `last` (ms). */
export interface RangeQuery {
  query: string;
  first: number;
  last: number;
  step: number;
}

/** Errors: SLUICE_PROVIDER with Prometheus' own words; an AbortError when cancelled. */
export async function queryRange(
  server: Server,
  { query, first, last, step }: RangeQuery,
  signal: AbortSignal,
): Promise<Series[]> {
  const url = `${server.url.replace(/\/+$/, '')}/api/v1/query_range`;
  const form = { query, start: seconds(first), end: seconds(last), step: seconds(step) };
  const answer = await askJson({ net: server.net, url, headers: server.headers, form, signal });
  const said = answer.value as Answer | undefined;
  if (said?.status === 'error') {
    throw new SluiceError(
      'SLUICE_PROVIDER',
      clean(`Prometheus refuses ${query}: ${said.errorType ?? 'error'}: ${said.error ?? 'no reason given'}`, 500),
    );
  }
  const result = said?.data?.result;
  if (answer.status !== 200 || !Array.isArray(result)) throw refused(url, answer);
  return result.map(({ metric, values }) => ({
    labels: metric,
    values: new Map(values.map(([time, value]) => [Math.round(time * 1000), Number(value)])),
  }));
}

interface Answer {
  status?: string;
  errorType?: string;
  error?: string;
  data?: { result?: { metric: Record<string, string>; values: [number, string][] }[] };
}

function seconds(ms: number): string {
  return String(ms / 1000);
}
