/** What the charts draw, as plain numbers: page/report.js knows nothing of rollouts. Pure. */
import { odds } from '../../model/numbers.js';
import type { SeriesPoint } from '../../model/series.js';
import type { RolloutView } from '../../model/view.js';

export interface Chart {
  id: string;
  title: string;
  /** How to read it, for someone who has never seen one. */
  about: string;
  unit: 'percent' | 'odds' | 'number';
  /** A line holds its value until the next point. */
  steps: boolean;
  /** ms since the epoch, rising. */
  at: number[];
  lines: ChartLine[];
  /** Labels of the y axis, where numbers would say nothing: value and text. */
  ticks: { value: number; text: string }[] | null;
}

export interface ChartLine {
  name: string;
  role: 'stable' | 'candidate' | 'limit';
  /** Null is a gap. */
  values: (number | null)[];
}

/** All charts of a page, and the time that each of them shows. */
export interface Charts {
  from: number;
  to: number;
  /** When the candidate's weight changed. */
  marks: number[];
  charts: Chart[];
}

export function chartsOf(view: RolloutView, now: number): Charts {
  const weights = weightSteps(view, now);
  const from = weights[0]?.at ?? view.startedAt;
  const to = weights.at(-1)?.at ?? now;
  const timeline = weights.every(({ weight }) => weight === 0) ? [] : [weightChart(view, weights)];
  const counted = view.series.length === 0 ? [] : countedCharts(view);
  const marks = weights.flatMap(({ at, weight }, i) => (i > 0 && weight !== weights[i - 1]?.weight ? [at] : []));
  return { from, to, marks, charts: [...timeline, ...counted] };
}

interface Step {
  at: number;
  weight: number;
}

/** The candidate's weight over time, from the stages and the watcher's counts. */
export function weightSteps(view: RolloutView, now: number): Step[] {
  const known: Step[] = [{ at: view.startedAt, weight: 0 }];
  // If someone else's change stopped a stage, its weight may never have been written: it counts only if it was read or watched.
  const had = new Set([view.weight, ...view.series.map(({ weight }) => weight)]);
  const foreign = view.code === 'SLUICE_FOREIGN_CHANGE';
  for (const { startedAt, weight, state } of view.stages) {
    if (startedAt !== null && weight !== null && (!foreign || state === 'passed' || had.has(weight)))
      known.push({ at: startedAt, weight });
  }
  known.push(...view.series.map(({ at, weight }) => ({ at, weight })));
  const end = view.endedAt ?? now;
  const last = view.outcome === 'succeeded' ? 100 : view.outcome === null || view.kept !== null ? view.weight : 0;
  const gone = view.stages.find(({ state }) => state === 'failed')?.endedAt ?? null;
  if (gone !== null && last === 0) known.push({ at: gone, weight: 0 });
  known.push({ at: end, weight: last });
  return known.sort((a, b) => a.at - b.at).filter(({ at }) => at <= end);
}

function weightChart(view: RolloutView, steps: Step[]): Chart {
  return {
    id: 'weight',
    title: 'Weight',
    about: `Share of requests that release ${view.candidate ?? '–'} received.`,
    unit: 'percent',
    steps: true,
    at: steps.map(({ at }) => at),
    lines: [{ name: nameOf(view, 'candidate'), role: 'candidate', values: steps.map(({ weight }) => weight) }],
    ticks: [0, 25, 50, 75, 100].map((value) => ({ value, text: `${value} %` })),
  };
}

function countedCharts(view: RolloutView): Chart[] {
  const points = view.series;
  const slow = points.some(({ candidate, stable }) => candidate.slow !== undefined || stable.slow !== undefined);
  return [
    shareChart(view, 'errors', 'Failed requests', 'Share that failed, counted from the start of each weight.'),
    evidenceChart(points),
    ...(slow
      ? [
          shareChart(
            view,
            'slow',
            'Slow responses',
            'Share over the time limit, counted from the start of each weight.',
          ),
        ]
      : []),
    rateChart(view),
  ];
}

function shareChart(view: RolloutView, what: 'errors' | 'slow', title: string, about: string): Chart {
  const points = withGaps(view.series);
  const share = (arm: 'stable' | 'candidate') =>
    points.map(({ point }) => {
      const part = point?.[arm][what];
      return point === null || part === undefined || point[arm].requests === 0
        ? null
        : (part / point[arm].requests) * 100;
    });
  return {
    id: what,
    title,
    about,
    unit: 'percent',
    steps: false,
    at: points.map(({ at }) => at),
    lines: arms(view, share),
    ticks: null,
  };
}

/** Milliseconds that a rate is averaged over, if there are that many. */
const STRETCH = 900;

function rateChart(view: RolloutView): Chart {
  const points = withGaps(view.series);
  const rate = (arm: 'stable' | 'candidate') =>
    points.map(({ point }, i) => {
      const before = point === null ? null : earlier(points, i);
      if (point === null || before === null) return null;
      const requests = point[arm].requests - before[arm].requests;
      // A bake that starts again counts from 0.
      return requests < 0 ? null : (requests * 1000) / (point.at - before.at);
    });
  return {
    id: 'requests',
    title: 'Requests per second',
    about: 'By the release that responded.',
    unit: 'number',
    steps: false,
    at: points.map(({ at }) => at),
    lines: arms(view, rate),
    ticks: null,
  };
}

/** The point that a rate is measured from: far enough back to say something about a second. */
function earlier(points: { point: SeriesPoint | null }[], i: number): SeriesPoint | null {
  const at = points[i]?.point?.at ?? 0;
  let found: SeriesPoint | null = null;
  for (let back = i - 1; back >= 0; back -= 1) {
    const point = points[back]?.point ?? null;
    if (point === null) break;
    if (point.at < at) found = point;
    if (at - point.at >= STRETCH) break;
  }
  return found;
}

/** ln E and its limit. Below 1 : 1 there is no evidence at all, so the line stays there. */
function evidenceChart(points: SeriesPoint[]): Chart {
  const values = points.map(({ logE }) => Math.max(0, logE));
  const limits = points.map(({ limit }) => limit);
  const decades = Math.max(1, Math.ceil(Math.max(...values, ...limits) / Math.LN10));
  const every = Math.ceil(decades / 5);
  const ticks = Array.from({ length: Math.floor(decades / every) + 1 }, (_, i) => i * every * Math.LN10);
  return {
    id: 'evidence',
    title: 'Evidence against the candidate',
    about:
      'At the limit the rollout is rolled back. 1 : 1,000 means: if the candidate were no worse than the stable release, counts like these would occur in at most 1 of 1,000 rollouts.',
    unit: 'odds',
    steps: false,
    at: points.map(({ at }) => at),
    lines: [
      { name: 'evidence', role: 'candidate', values },
      { name: 'limit', role: 'limit', values: limits },
    ],
    ticks: ticks.map((value) => ({ value, text: odds(value) })),
  };
}

function arms(view: RolloutView, of: (arm: 'stable' | 'candidate') => (number | null)[]): ChartLine[] {
  return (['stable', 'candidate'] as const).map((role) => ({ name: nameOf(view, role), role, values: of(role) }));
}

function nameOf(view: RolloutView, role: 'stable' | 'candidate'): string {
  return `${role} ${view[role] ?? '–'}`;
}

/** Counts start again at each weight: no line connects one weight with the next. */
function withGaps(series: SeriesPoint[]): { at: number; point: SeriesPoint | null }[] {
  return series.flatMap((point, i) => {
    const before = series[i - 1];
    const own = { at: point.at, point };
    if (before === undefined || before.weight === point.weight) return [own];
    return [{ at: (before.at + point.at) / 2, point: null }, own];
  });
}
