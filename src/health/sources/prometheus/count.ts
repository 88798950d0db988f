/** How many events a PromQL text tells of in each stretch. */
import { SluiceError } from '../../../model/errors.js';
import { queryRange, type Series, type Server } from './api.js';

/**
 * How far back to look for a counter's last value if a stretch starts without one. A failed scrape makes series vanish for a
 * moment, and a counter that comes back was not reset.
 */
const REMEMBERED = '1h';

export interface Stretches {
  /** Ends, rising, `window` ms apart. */
  ends: number[];
  window: number;
}

/** Events by the stretch's end; a stretch of which nothing is known is absent. */
export type Events = Map<number, number>;

/**
 * A text with `{window}` gives the number itself. Any other names counters, whose growth is computed series by series. That
 * is exact; `increase` guesses what is between the samples and the window's ends, loses what comes between two windows, and
 * never sees the first event of a new series. A counter that dropped was reset, and a new one started at 0. Errors:
 * SLUICE_SPEC for an expression where counters are needed, and those of the server.
 */
export async function eventsOf(
  server: Server,
  { template, query }: { template: string; query: string },
  { ends, window }: Stretches,
  signal: AbortSignal,
): Promise<Events> {
  const [first, last] = [ends[0] as number, ends[ends.length - 1] as number];
  const at = { first, last, step: window };
  if (template.includes('{window}')) return numbers(ends, await queryRange(server, { query, ...at }, signal));
  const now = await queryRange(server, { query, ...at }, signal);
  const unnamed = now.find(({ labels }) => labels.__name__ === undefined);
  if (unnamed !== undefined) {
    throw new SluiceError(
      'SLUICE_SPEC',
      `${query} is an expression; name the counters themselves (no sum, no rate: Sluice adds them up), or count over {window}`,
    );
  }
  const before = { query: `last_over_time(${query}[${REMEMBERED}])`, first: first - window, last: last - window };
  const then = await queryRange(server, { ...before, step: window }, signal);
  return growth(now, then, { ends, window });
}

/** Pure. */
export function growth(now: Series[], then: Series[], { ends, window }: Stretches): Events {
  const before = new Map(then.map((series) => [identity(series), series.values]));
  return collect(ends, now, (series, end) => {
    const value = series.values.get(end);
    if (value === undefined) return undefined;
    const base = before.get(identity(series))?.get(end - window) ?? 0;
    return value >= base ? value - base : value;
  });
}

function numbers(ends: number[], series: Series[]): Events {
  const sums = collect(ends, series, ({ values }, end) => values.get(end));
  // What `increase` guesses is seldom whole.
  return new Map([...sums].map(([end, sum]) => [end, Math.round(sum)]));
}

function collect(ends: number[], all: Series[], valueAt: (series: Series, end: number) => number | undefined): Events {
  const events: Events = new Map();
  for (const end of ends) {
    const values = all.map((series) => valueAt(series, end)).filter((value) => value !== undefined);
    const sum = values.reduce((total, value) => total + value, 0);
    if (values.length > 0 && Number.isFinite(sum)) events.set(end, sum);
  }
  return events;
}

function identity({ labels }: Series): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
