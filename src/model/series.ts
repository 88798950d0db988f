/** The evidence over time, thinned out so that it never grows: what a report draws. Pure. */
import type { Counts, Pair } from './counts.js';

/** How things stood at one moment. */
export interface SeriesPoint {
  /** ms since the epoch. */
  at: number;
  /** The candidate's weight, in percent. */
  weight: number;
  /** Evidence against the candidate, ln E, and the limit at which it is unhealthy. */
  logE: number;
  limit: number;
  /** Since this weight began: the users' requests, or the probes' calls where no metric counts users. */
  stable: Counts;
  candidate: Counts;
  /** Our probes' calls beside them. */
  probes?: Pair;
}

/** The series with `point` at its end. */
export function extended(series: readonly SeriesPoint[], point: SeriesPoint, most: number): SeriesPoint[] {
  return thinned([...series, point], most);
}

/** Two series one after the other; what the second repeats of the first is kept once. */
export function joined(before: readonly SeriesPoint[], after: readonly SeriesPoint[], most: number): SeriesPoint[] {
  const last = before.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
  return thinned([...before, ...after.filter(({ at }) => at > last)], most);
}

/** Every second point goes until `most` are left; the ends of each weight stay, where a line bends. */
function thinned(series: SeriesPoint[], most: number): SeriesPoint[] {
  let kept = series;
  while (kept.length > most) {
    const fewer = kept.filter((point, i) => i % 2 === 0 || bends(kept, point, i));
    if (fewer.length === kept.length) return kept.slice(-most);
    kept = fewer;
  }
  return kept;
}

function bends(series: SeriesPoint[], { weight }: SeriesPoint, i: number): boolean {
  return series[i - 1]?.weight !== weight || series[i + 1]?.weight !== weight;
}

/** Points that the present rate is taken from: enough to be calm, few enough to be of now. */
const RECENT = 6;

/** Requests of the candidate a second at the present weight, by its last points. Null: too little is known. */
export function pace(series: readonly SeriesPoint[]): number | null {
  const last = series.at(-1);
  if (last === undefined) return null;
  const began = series.findLastIndex(({ weight }) => weight !== last.weight) + 1;
  const first = series.slice(began).slice(-RECENT)[0];
  if (first === undefined || first.at === last.at) return null;
  const requests = last.candidate.requests - first.candidate.requests;
  return requests > 0 ? (requests * 1000) / (last.at - first.at) : null;
}
