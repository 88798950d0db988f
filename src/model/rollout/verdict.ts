/** What a watcher has found, as views show it. Pure. */
import type { SeriesPoint } from '../series.js';
import type { Asked, VerdictView } from '../view.js';

/** A judge's verdict: what views show, and what only the rollout decides by. */
export interface Verdict extends Required<Omit<VerdictView, 'at' | 'asked'>> {
  /** Shown to be no worse at this weight, by each users' metric where there are any: a bake may pass early. */
  passes: boolean;
  /** Unhealthy only by a ceiling while nothing was there to compare with. */
  probeBack: boolean;
  /** Not healthy only because too few requests were counted at this weight, so that more time may settle it. */
  few: boolean;
}

/** With what the sources were asked, and when they were last counted: the series ends with that. */
export function shownVerdict(report: {
  verdict: Verdict;
  asked: Asked[];
  series: readonly SeriesPoint[];
}): VerdictView {
  const { passes: _, probeBack: __, few: ___, ...shown } = report.verdict;
  const last = report.series.at(-1);
  return { ...shown, ...(last === undefined ? {} : { at: last.at }), asked: report.asked };
}
