/** Emulated AWS: CloudWatch's metrics, counted from the calls that the gateway saw. */
import type { Upstream } from '../http.js';
import type { Scope } from './route.js';
import { signed, type Where } from './store.js';

/** One invocation, as counted. */
export interface Invocation {
  where: Where;
  /** Alias or version it was addressed to; null for the bare function. */
  resource: string | null;
  alias: string | null;
  /** Version that ran it. */
  version: string;
  /** When it began, ms since the epoch; it ran for `duration` ms. */
  at: number;
  duration: number;
  outcome: 'ok' | 'error' | 'throttled';
  /** As the caller was told; of a throttled call nothing is logged. */
  requestId?: string;
  /** The error is that its time was over. */
  timedOut?: boolean;
}

/** Milliseconds between two writes to CloudWatch. */
const FLUSH_EVERY = 200;
/** Most data in one PutMetricData. */
const BATCH = 500;

interface Datum {
  MetricName: string;
  Dimensions: { Name: string; Value: string }[];
  /** Seconds since the epoch. */
  Timestamp: number;
  Unit: string;
  Values: number[];
  Counts: number[];
}

/**
 * Publishes what Lambda itself would, by alias and executed version: `FunctionName` + `Resource` (`fn:alias`, `fn:7`
 * or `fn`), and `ExecutedVersion` with it for a call through an alias. The time is that of the invocation. (The server
 * writes the series by `FunctionName` alone.) Source: "Types of metrics for Lambda functions".
 */
export class Metrics {
  #waiting: { due: number; invocation: Invocation }[] = [];
  readonly #timer: NodeJS.Timeout;
  #flushing: Promise<void> = Promise.resolve();

  /** `delay`: milliseconds an invocation is held back, as CloudWatch lags. */
  constructor(
    readonly upstream: Upstream,
    readonly delay: number,
  ) {
    this.#timer = setInterval(() => this.#queueFlush(Date.now()), FLUSH_EVERY);
    this.#timer.unref();
  }

  add(invocation: Invocation): void {
    this.#waiting.push({ due: Date.now() + this.delay, invocation });
  }

  /** Stops the clock; what waits is dropped with the server. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#flushing;
  }

  #queueFlush(now: number): void {
    const due = this.#waiting.filter((each) => each.due <= now).map((each) => each.invocation);
    if (due.length === 0) return;
    this.#waiting = this.#waiting.filter((each) => each.due > now);
    this.#flushing = this.#flushing.then(() => this.#flush(due)).catch(() => undefined);
  }

  async #flush(due: Invocation[]): Promise<void> {
    const byScope = new Map<string, Invocation[]>();
    for (const each of due) {
      const id = JSON.stringify(each.where.scope);
      byScope.set(id, [...(byScope.get(id) ?? []), each]);
    }
    for (const [id, invocations] of byScope) {
      const scope = JSON.parse(id) as Scope;
      const data = dataOf(invocations);
      for (let i = 0; i < data.length; i += BATCH) await this.#put(scope, data.slice(i, i + BATCH));
    }
  }

  async #put(scope: Scope, MetricData: Datum[]): Promise<void> {
    await this.upstream.call({
      method: 'POST',
      path: '/',
      headers: {
        ...signed({ scope }, 'monitoring'),
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'GraniteServiceVersion20100801.PutMetricData',
      },
      body: Buffer.from(JSON.stringify({ Namespace: 'AWS/Lambda', MetricData })),
    });
  }
}

/** One datum for each series and metric, values counted, at the time of its first invocation. */
function dataOf(invocations: Invocation[]): Datum[] {
  const data = new Map<string, Datum>();
  const count = (
    each: Invocation,
    metric: string,
    unit: string,
    value: number,
    dimensions: Datum['Dimensions'],
  ): void => {
    const id = JSON.stringify([metric, dimensions]);
    const seconds = each.at / 1000;
    const datum = data.get(id) ?? {
      MetricName: metric,
      Dimensions: dimensions,
      Timestamp: seconds,
      Unit: unit,
      Values: [],
      Counts: [],
    };
    data.set(id, datum);
    datum.Timestamp = Math.min(datum.Timestamp, seconds);
    const at = datum.Values.indexOf(value);
    if (at === -1) {
      datum.Values.push(value);
      datum.Counts.push(1);
    } else datum.Counts[at] = (datum.Counts[at] ?? 0) + 1;
  };
  for (const each of invocations) {
    for (const dimensions of seriesOf(each)) {
      if (each.outcome === 'throttled') {
        count(each, 'Throttles', 'Count', 1, dimensions);
        continue;
      }
      count(each, 'Invocations', 'Count', 1, dimensions);
      count(each, 'Errors', 'Count', each.outcome === 'error' ? 1 : 0, dimensions);
      count(each, 'Duration', 'Milliseconds', each.duration, dimensions);
    }
  }
  return [...data.values()];
}

function seriesOf({ where, resource, alias, version }: Invocation): Datum['Dimensions'][] {
  const name = where.function;
  const common = [
    { Name: 'FunctionName', Value: name },
    { Name: 'Resource', Value: resource === null ? name : `${name}:${resource}` },
  ];
  return alias === null ? [common] : [common, [...common, { Name: 'ExecutedVersion', Value: version }]];
}
