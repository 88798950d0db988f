/** What the judge has counted, how far the evidence is, and what it rests on. */
import { type Counts, type Pair, probeCalls } from '../../model/counts.js';
import { evidence, grouped } from '../../model/numbers.js';
import { asOf, neededWords, verdictWords } from '../../model/rollout/words.js';
import { pace } from '../../model/series.js';
import { duration } from '../../model/text.js';
import type { Asked, RolloutView, VerdictView } from '../../model/view.js';
import type { Line } from './pieces.js';
import { clip, pad, piece, widthOf } from './pieces.js';
import { percent } from './words.js';

/** Most sources that are shown; `report` has all of them. */
const SOURCES = 4;
/** Part of the columns that a long question may take, so that its answer is seen too. */
const QUESTION = 0.35;

export function healthLines(view: RolloutView, width: number): Line[] {
  const { verdict } = view;
  if (verdict === null) return [];
  return [
    ...countLines(view, verdict),
    [piece(`judge${asOf(verdict)}: ${verdictWords(verdict)}`, verdict.state === 'unhealthy' ? 'red' : 'dim')],
    [piece(`evidence ${evidence(verdict)}`, verdict.logE >= verdict.limit ? 'red' : 'dim')],
    ...missingLines(view),
    ...sourceLines(verdict, width),
  ];
}

/** Who was counted: users and our probes apart, and each metric where several count users. */
function countLines(view: RolloutView, verdict: VerdictView): Line[] {
  const groups = groupsOf(verdict);
  const [whose, arms] = [
    Math.max(...groups.map(([name]) => name.length)),
    [armName(view, 'stable'), armName(view, 'candidate')],
  ];
  const columns = Math.max(...arms.map((name) => name.length));
  const rows = groups.flatMap(([name, { stable, candidate }]): [string, string, Counts][] => [
    [name, armName(view, 'stable'), stable],
    ['', armName(view, 'candidate'), candidate],
  ]);
  return rows.map(([name, arm, counts]) => countLine(`${pad(name, whose)}  ${pad(arm, columns)}`, counts));
}

function groupsOf(verdict: VerdictView): [string, Pair][] {
  const metrics = (verdict.sources ?? []).filter(({ of }) => of === 'users');
  const users: [string, Pair][] =
    verdict.counted === 'probes'
      ? [['probes', verdict]]
      : metrics.length > 1
        ? metrics.map((metric) => [metric.source, metric])
        : [['users', verdict]];
  const probes = probeCalls(verdict);
  return probes === null ? users : [...users, ['probes', probes]];
}

function armName(view: RolloutView, arm: 'stable' | 'candidate'): string {
  return `${arm} ${view[arm] ?? '–'}`;
}

function countLine(name: string, { requests, errors, slow }: Counts): Line {
  const share = percent(errors, requests);
  return [
    piece(`${name} ${grouped(requests).padStart(10)} requests ${grouped(errors).padStart(7)} errors  `),
    piece(slow === undefined ? share : share.padEnd(7), errors > 0 ? 'red' : 'green'),
    ...(slow === undefined ? [] : [piece(` ${grouped(slow).padStart(7)} slow  ${percent(slow, requests)}`)]),
  ];
}

/** How many requests it still takes, and how long that is at the current rate. */
function missingLines(view: RolloutView): Line[] {
  const words = neededWords(view);
  if (words === null) return [];
  const rate = pace(view.series);
  const time = rate === null ? '' : `: about ${roughly((view.verdict?.needed ?? 0) / rate)} at the current rate`;
  return [[piece(`${words}${time}`, 'dim')]];
}

/** From a minute on in whole minutes: it is a guess. */
function roughly(seconds: number): string {
  return duration(1000 * (seconds < 60 ? Math.ceil(seconds) : Math.ceil(seconds / 60) * 60));
}

function sourceLines({ asked }: VerdictView, width: number): Line[] {
  const lines = asked.slice(0, SOURCES).map((source) => sourceLine(source, width));
  return asked.length <= SOURCES ? lines : [...lines, [piece(`  … ${asked.length - SOURCES} more sources`, 'dim')]];
}

function sourceLine({ source, query, answer }: Asked, width: number): Line {
  const asked = [piece(query, 'dim')];
  const line = (question: Line): Line => [piece(`  ${source}: `, 'dim'), ...question, piece(` → ${answer}`, 'dim')];
  return widthOf(line(asked)) <= width ? line(asked) : line(clip(asked, Math.floor(width * QUESTION)));
}
