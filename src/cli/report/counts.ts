/** Requests, errors and slow responses by release: totals per weight, and every point of the charts. Pure. */
import { type Counts, type Pair, probeCalls, type Whose } from '../../model/counts.js';
import { grouped, odds } from '../../model/numbers.js';
import type { SeriesPoint } from '../../model/series.js';
import type { RolloutView } from '../../model/view.js';
import { stamp } from '../render/time.js';
import { percent } from '../render/words.js';
import { type Html, html } from './html.js';

/** Totals at the end of each weight; the verdict's own counts if no series was kept. */
export function totals(view: RolloutView): Html | null {
  const ends = lastOfEachWeight(view.series);
  if (ends.length === 0) return view.verdict === null ? null : onlyVerdict(view);
  return html`<section id="totals"><h2>Counts by weight</h2>
<div class="wide"><table>
<thead><tr><th>Weight<th>Counted<th>Release<th class="n">Requests<th class="n">Failed<th class="n">Share<th class="n">Slow<th class="n">Share<th class="n">Evidence</tr></thead>
<tbody>${ends.map((point) => weightRows(view, point))}</tbody></table></div></section>`;
}

/** A weight's rows: the counts of users, and of probes if there were any. */
function weightRows(view: RolloutView, point: SeriesPoint): Html {
  const { weight, logE, limit, probes } = point;
  const rows = probes === undefined ? 2 : 4;
  const first = html`<th rowspan="${rows}">${weight} %`;
  const evidence = html`
<td rowspan="${rows}" class="n">${odds(logE)}<br><small>limit ${odds(limit)}</small>`;
  const whose = probes === undefined && view.verdict?.counted === 'probes' ? 'probes' : 'users';
  return html`${pairRows(view, whose, point, first, evidence)}${probes === undefined ? null : pairRows(view, 'probes', probes, null, null)}`;
}

function pairRows(
  view: RolloutView,
  whose: Whose,
  { stable, candidate }: Pair,
  first: Html | null,
  last: Html | null,
): Html {
  return html`<tr>${first}<td rowspan="2">${whose}<td>stable ${view.stable ?? '–'}${cells(stable)}${last}</tr>
<tr class="candidate"><td>candidate ${view.candidate ?? '–'}${cells(candidate)}</tr>
`;
}

function onlyVerdict(view: RolloutView): Html | null {
  const { verdict } = view;
  if (verdict === null) return null;
  const probes = probeCalls(verdict);
  return html`<section id="totals"><h2>Counts at the last weight</h2>
<div class="wide"><table>
<thead><tr><th>Counted<th>Release<th class="n">Requests<th class="n">Failed<th class="n">Share<th class="n">Slow<th class="n">Share</tr></thead>
<tbody>${pairRows(view, verdict.counted ?? 'users', verdict, null, null)}${probes === null ? null : pairRows(view, 'probes', probes, null, null)}</tbody></table></div></section>`;
}

function cells({ requests, errors, slow }: Counts): Html {
  const slowShare = slow === undefined ? '–' : percent(slow, requests);
  return html`<td class="n">${grouped(requests)}<td class="n">${grouped(errors)}<td class="n">${percent(errors, requests)}<td class="n">${slow === undefined ? '–' : grouped(slow)}<td class="n">${slowShare}`;
}

function lastOfEachWeight(series: SeriesPoint[]): SeriesPoint[] {
  return series.filter(({ weight }, at) => series[at + 1]?.weight !== weight);
}

/** The charts as a table, for readers without scripts and for checking. */
export function everyPoint(view: RolloutView): Html | null {
  if (view.series.length === 0) return null;
  return html`<details id="points"><summary>The charts as a table (${view.series.length} points)</summary>
<div class="wide"><table>
<thead><tr><th rowspan="2">Time (UTC)<th rowspan="2" class="n">Weight<th colspan="3">Stable ${view.stable ?? '–'}<th colspan="3">Candidate ${view.candidate ?? '–'}<th rowspan="2" class="n">Evidence</tr>
<tr>${['', ''].map(() => html`<th class="n">Requests<th class="n">Failed<th class="n">Slow`)}</tr></thead>
<tbody>${view.series.map(
    ({ at, weight, stable, candidate, logE }) =>
      html`<tr><td>${stamp(at)}<td class="n">${weight} %${plain(stable)}${plain(candidate)}<td class="n">${odds(logE)}</tr>
`,
  )}</tbody></table></div></details>`;
}

function plain({ requests, errors, slow }: Counts): Html {
  return html`<td class="n">${grouped(requests)}<td class="n">${grouped(errors)}<td class="n">${slow === undefined ? '–' : grouped(slow)}`;
}
