/** What happened, when, and who did it: stages, events, refusals, warnings. Pure. */
import { bypassHead } from '../../model/bypass.js';
import { duration } from '../../model/text.js';
import type { RolloutView, StageView } from '../../model/view.js';
import { moment } from '../render/time.js';
import { stageSign } from '../render/words.js';
import { type Html, html } from './html.js';

export function stages(view: RolloutView, now: number): Html | null {
  if (view.stages.length === 0) return null;
  return html`<section id="stages"><h2>Stages</h2>
<div class="wide"><table>
<thead><tr><th>Stage<th class="n">Weight<th>State<th>Started<th class="n">Took<th>Steps</tr></thead>
<tbody>${view.stages.map((stage) => stageRow(view, stage, now))}</tbody></table></div></section>`;
}

function stageRow(view: RolloutView, stage: StageView, now: number): Html {
  const { name, weight, state, steps, current, startedAt, endedAt, note } = stage;
  const sign = stageSign(stage, view);
  const doing = state === 'running' && current !== null ? `${state}: ${current}` : state;
  const took = startedAt === null ? '–' : duration((endedAt ?? view.endedAt ?? now) - startedAt);
  return html`<tr class="${state}"><th>${name}<td class="n">${weight === null ? '–' : `${weight} %`}<td><span class="${sign.style}">${sign.text} ${doing}</span>
<td>${startedAt === null ? '–' : moment(startedAt)}<td class="n">${took}<td>${steps}${note === null ? null : html`<br><small>${note}</small>`}</tr>
`;
}

export function warnings({ warnings: texts }: RolloutView): Html | null {
  return listed(
    'warnings',
    'Warnings from before the start',
    texts.length,
    texts.map((text) => html`<li>${text}</li>`),
  );
}

/** Callers that do not go through the split. */
export function bypass({ bypass: through, outcome }: RolloutView): Html | null {
  return listed(
    'bypass',
    bypassHead(outcome),
    through.length,
    through.map(
      ({ id, what }) => html`<li><code>${id}</code> ${what}</li>
`,
    ),
  );
}

export function events(view: RolloutView): Html | null {
  const rows = view.events.map(
    ({ at, text, by }) => html`<li><time>${moment(at)}</time> ${text}${by === undefined ? null : html` (${by})`}</li>
`,
  );
  return listed('events', 'What happened', view.eventsTotal, rows);
}

export function refusals(view: RolloutView): Html | null {
  const rows = view.refusals.map(
    ({ at, verb, by, why }) => html`<li><time>${moment(at)}</time> <b>${verb}</b> by ${by}: ${why}</li>
`,
  );
  return listed('refusals', 'Refused commands', view.refusalsTotal, rows);
}

function listed(id: string, title: string, total: number, rows: Html[]): Html | null {
  if (rows.length === 0) return null;
  const count = total > rows.length ? html` <small>the last ${rows.length} of ${total}</small>` : null;
  return html`<section id="${id}"><h2>${title}${count}</h2><ul>${rows}</ul></section>`;
}
