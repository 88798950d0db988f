/** A rollout as one page of HTML that needs nothing else: no server, no network, not even a script to be read. Pure. */
import { createHash } from 'node:crypto';
import type { RolloutView } from '../../model/view.js';
import { type Chart, chartsOf } from './charts.js';
import { everyPoint, totals } from './counts.js';
import { errors, sources } from './findings.js';
import { head } from './head.js';
import { type Html, html, jsonBlock, trusted } from './html.js';
import { bypass, events, refusals, stages, warnings } from './journal.js';
import { headline } from './sentence.js';

/** The files that go into the page as they are. */
export interface Assets {
  styles: string[];
  scripts: string[];
}

export interface Seen {
  /** ms since the epoch. */
  now: number;
  /** Of Sluice. */
  version: string;
}

/** The page. Every text of the view is escaped; nothing but the assets may run, and no request may leave the page. */
export function renderReport(view: RolloutView, seen: Seen, assets: Assets): string {
  const data = chartsOf(view, seen.now);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(assets)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${view.app}/${view.environment}: ${headline(view)}</title>
${assets.styles.map((text) => html`<style>${trusted(text)}</style>`)}
</head>
<body>
<main>
${head(view, seen.now)}
${bypass(view)}
${errors(view)}
${charts(view, data.charts)}
${totals(view)}
${everyPoint(view)}
${stages(view, seen.now)}
${sources(view)}
${events(view)}
${refusals(view)}
${warnings(view)}
<footer>Made by Sluice ${seen.version} from run ${view.run}. All times are UTC.</footer>
</main>
<script type="application/json" id="data">${jsonBlock(data)}</script>
${assets.scripts.map((text) => html`<script>${trusted(text)}</script>`)}
</body>
</html>
`.text;
}

function charts(view: RolloutView, drawn: Chart[]): Html | null {
  if (drawn.length === 0) return null;
  const none = html`<p id="no-series">No counts over time were kept for this rollout.</p>`;
  return html`<section id="charts"><h2>Over time</h2>
${view.series.length === 0 ? none : null}
<noscript><p>The charts need a script; the tables below have the same numbers.</p></noscript>
<div class="charts">${drawn.map(
    ({ id, title, about }) => html`<figure><figcaption><b>${title}</b> <small>${about}</small></figcaption>
<div class="chart" id="chart-${id}"></div></figure>
`,
  )}</div></section>`;
}

/** Nothing may be fetched, and of scripts and styles only those that we have put in ourselves may act. */
function policy({ styles, scripts }: Assets): string {
  const hashes = (texts: string[]) =>
    texts.map((text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`).join(' ');
  return `default-src 'none'; script-src ${hashes(scripts)}; style-src ${hashes(styles)}; base-uri 'none'; form-action 'none'`;
}
