/** What the judge has counted, how far the evidence is, and what it rests on. */
import type { Counts } from '../../model/counts.js';
import { evidence, grouped } from '../../model/odds.js';
import { pace } from '../../model/series.js';
import { duration } from '../../model/text.js';
import type { RolloutView, VerdictView } from '../../model/view.js';
import type { Line } from './pieces.js';
import { pad, piece } from './pieces.js';
import { percent } from './words.js';

/** Most sources that are shown; `report` has all of them. */
const SOURCES = 4;
/** Columns of a source's question, so that its answer is seen too. */
const QUESTION = 48;

export function healthLines(view: RolloutView): Line[] {
  const { verdict } = view;
  if (verdict === null) return [];
  const rows: { name: string; counts: Counts }[] = [
    { name: `stable ${view.stable ?? '–'}`, counts: verdict.stable },
    { name: `candidate ${view.candidate ?? '–'}`, counts: verdict.candidate },
  ];
  const columns = Math.max(...rows.map(({ name }) => name.length));
  return [
    ...rows.map(({ name, counts }) => countLine(pad(name, columns), counts)),
    [piece(`judge: ${verdict.state}: ${verdict.why}`, verdict.state === 'unhealthy' ? 'red' : 'dim')],
    [piece(`evidence ${evidence(verdict)}`, verdict.logE >= verdict.limit ? 'red' : 'dim')],
    ...missingLines(view, verdict),
    ...sourceLines(verdict),
  ];
}

function countLine(name: string, { requests, errors, slow }: Counts): Line {
  const share = percent(errors, requests);
  return [
    piece(`${name} ${grouped(requests).padStart(10)} requests ${grouped(errors).padStart(7)} errors  `),
    piece(slow === undefined ? share : share.padEnd(7), errors > 0 ? 'red' : 'green'),
    ...(slow === undefined ? [] : [piece(` ${grouped(slow).padStart(7)} slow  ${percent(slow, requests)}`)]),
  ];
}

/** How many requests it still takes, and how long that is at the present rate. */
function missingLines(view: RolloutView, { needed }: VerdictView): Line[] {
  if (needed === null || needed <= 0 || view.outcome !== null) return [];
  const rate = pace(view.series);
  const time = rate === null ? '' : `: about ${roughly(needed / rate)} at the present rate`;
  return [[piece(`${grouped(needed)} more requests to show that it is no worse${time}`, 'dim')]];
}

/** From a minute on in whole minutes: it is a guess. */
function roughly(seconds: number): string {
  return duration(1000 * (seconds < 60 ? Math.ceil(seconds) : Math.ceil(seconds / 60) * 60));
}

function sourceLines({ asked }: VerdictView): Line[] {
  const lines = asked
    .slice(0, SOURCES)
    .map(({ source, query, answer }): Line => [piece(`  ${source}: ${cut(query)} → ${answer}`, 'dim')]);
  return asked.length <= SOURCES ? lines : [...lines, [piece(`  … ${asked.length - SOURCES} more sources`, 'dim')]];
}

function cut(query: string): string {
  return query.length <= QUESTION ? query : `${query.slice(0, QUESTION - 1)}…`;
}
