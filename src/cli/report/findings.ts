/** What the verdict is based on: the candidate's errors, and what each source was asked. Pure. */
import { grouped } from '../../model/numbers.js';
import { asOf, verdictWords } from '../../model/rollout/words.js';
import type { RolloutView } from '../../model/view.js';
import { type Html, html } from './html.js';

/** Most errors of the candidate that are shown. */
const ERRORS = 3;

/** Each with a request to look up in the logs. */
export function errors(view: RolloutView): Html | null {
  if (view.errors.length === 0) return null;
  return html`<section id="errors"><h2>Most frequent errors of release ${view.candidate ?? '–'}</h2>
<ol>${view.errors.slice(0, ERRORS).map(
    ({ what, count, requestId }) =>
      html`<li><b>${grouped(count)} ×</b> <code>${what}</code>${requestId === undefined ? null : html`<br><small>for example request <code>${requestId}</code></small>`}</li>
`,
  )}</ol></section>`;
}

/** So that the verdict can be checked by hand. */
export function sources(view: RolloutView): Html | null {
  const { verdict } = view;
  if (verdict === null) return null;
  const rows = verdict.asked.map(
    ({ source, query, answer }) => html`<tr><th>${source}<td><code>${query}</code><td>${answer}</tr>
`,
  );
  return html`<section id="sources"><h2>What the verdict is based on</h2>
<p>The judge${asOf(verdict)}: ${verdictWords(verdict)}</p>
${rows.length === 0 ? null : html`<div class="wide"><table><thead><tr><th>Source<th>Latest query<th>Response</tr></thead><tbody>${rows}</tbody></table></div>`}</section>`;
}
