/** The top of the page: what happened and why, for a reader with ten seconds. Pure. */
import type { Counts } from '../../model/counts.js';
import { grouped } from '../../model/numbers.js';
import { accessWords } from '../../model/rollout/words.js';
import type { RolloutView } from '../../model/view.js';
import { ago, moment } from '../render/time.js';
import { waitingAt } from '../render/waiting.js';
import { percent, stateStyle } from '../render/words.js';
import { type Html, html } from './html.js';
import { comparison, headline, probed, traffic, unbroken } from './sentence.js';

export function head(view: RolloutView, now: number): Html {
  const { verdict, reason, code } = view;
  const waits = waitingAt(view, now);
  const calls = verdict === null ? null : probed(verdict);
  return html`<header class="${stateStyle(view)}">
<p class="target">${view.app}/${view.environment}</p>
<h1>${headline(view)}</h1>
${paragraph('traffic', traffic(view))}
${paragraph('verdict', verdict === null ? null : unbroken(comparison(verdict)))}
${paragraph('probes', calls === null ? null : unbroken(calls))}
${reason === null ? null : html`<p id="reason"><b>Why:</b> ${reason}${code === null ? null : html` <code>${code}</code>`}</p>`}
${waits === null ? null : html`<p id="waits"><b>Now:</b> ${waits}.</p>`}
${verdict === null ? null : html`<div class="arms">${arm(view, 'stable', verdict.stable)}${arm(view, 'candidate', verdict.candidate)}</div>`}
<dl>${facts(view, now).map(([name, value]) => html`<div><dt>${name}<dd>${value}</div>`)}</dl>
</header>`;
}

function paragraph(id: string, text: string | null): Html | null {
  return text === null ? null : html`<p id="${id}">${text}</p>`;
}

/** One release's counts in large. */
function arm(view: RolloutView, role: 'stable' | 'candidate', { requests, errors, slow }: Counts): Html {
  const what = view.verdict?.counted === 'probes' ? 'probe calls' : 'user requests';
  return html`<div class="arm ${role}"><span class="name">${role} ${view[role] ?? '–'}</span>
<span class="share">${percent(errors, requests)}</span>
<span>failed: ${grouped(errors)} of ${grouped(requests)} ${what}</span>
${slow === undefined ? null : html`<span>slow: ${percent(slow, requests)}, ${grouped(slow)} responses</span>`}</div>`;
}

function facts(view: RolloutView, now: number): [string, string][] {
  const by = view.startedBy ?? 'someone';
  const time: [string, string] =
    view.endedAt === null
      ? ['Generated', `${moment(now)}, ${ago(view.startedAt, now)} after the start; this page does not update itself`]
      : ['Ended', `${moment(view.endedAt)}, after ${ago(view.startedAt, view.endedAt)}`];
  const all: [string, string | null][] = [
    ['Strategy', view.strategy],
    ['Target', view.target === '' ? null : `${view.target} on ${view.platform}`],
    ['Releases', view.candidate === null ? null : `${view.candidate}, to replace ${view.stable ?? 'nothing'}`],
    ['Live environment', view.live],
    ['Started', `${moment(view.startedAt)} by ${by}${view.access?.starter == null ? '' : ', signed'}`],
    ['Access', accessWords(view)],
    time,
    ['Message', view.message],
    ['Run', view.run],
  ];
  return all.filter((fact): fact is [string, string] => fact[1] !== null);
}
