/** The picture of `get`: a rollout as lines, never more or longer than the terminal has. Pure. */
import { bypassHead } from '../../model/bypass.js';
import { accessWords, otherPolicyWords, shortWord, stateWord } from '../../model/rollout/words.js';
import type { RolloutView } from '../../model/view.js';
import { healthLines } from './health.js';
import type { Frame, Line } from './pieces.js';
import { clip, paint, piece, widthOf, wrap } from './pieces.js';
import { splitLine } from './split.js';
import { stageLines } from './stages.js';
import { ago } from './time.js';
import { commandLines, waitingLines } from './waiting.js';
import { stateSign } from './words.js';

const EVENTS = 5;
const REFUSALS = 5;
const WARNINGS = 5;

/** A part of the picture. `least`: lines it keeps when there is no room. */
interface Section {
  name:
    | 'head'
    | 'bypass'
    | 'stages'
    | 'health'
    | 'waiting'
    | 'commands'
    | 'warnings'
    | 'refusals'
    | 'events'
    | 'errors'
    | 'reason';
  lines: Line[];
  least: number;
}

/** What gives way first when the terminal is too low. The reason comes last and stays whole. */
const GIVES_WAY: Section['name'][] = [
  'events',
  'warnings',
  'refusals',
  'commands',
  'stages',
  'health',
  'errors',
  'waiting',
  'bypass',
  'head',
];

/** The rollout as lines. `trouble` says why the view may be old. */
export function renderView(view: RolloutView, frame: Frame, trouble: string | null = null): string[] {
  const { width, now } = frame;
  const indent = (lines: Line[]): Line[] => lines.map((line) => [piece('  '), ...line]);
  const sections: Section[] = [
    { name: 'head', lines: [headLine(view, now), ...indent(aboutLines(view, width))], least: 2 },
    { name: 'bypass', lines: indent(bypassLines(view, width - 2)), least: 1 },
    { name: 'stages', lines: indent(stageLines(view, Number.POSITIVE_INFINITY, now)), least: 3 },
    { name: 'health', lines: indent(healthLines(view, width - 2)), least: 0 },
    { name: 'waiting', lines: indent(waitingLines(view, width - 2, now)), least: 1 },
    { name: 'commands', lines: indent(commandLines(view)), least: 0 },
    {
      name: 'warnings',
      lines: indent(
        listed(
          view.warnings.map((text) => `! ${text}`),
          WARNINGS,
          'yellow',
        ),
      ),
      least: 0,
    },
    { name: 'refusals', lines: indent(refusalLines(view, now)), least: 0 },
    { name: 'events', lines: indent(eventLines(view, now)), least: 0 },
    { name: 'errors', lines: indent(errorLines(view, width - 2)), least: 0 },
    { name: 'reason', lines: reasonLines(view, trouble, width), least: Number.POSITIVE_INFINITY },
  ];
  shrink(sections, view, frame);
  return sections
    .flatMap(({ lines }) => lines)
    .slice(0, Math.max(1, frame.height))
    .map((line) => paint(clip(line, width), frame.colour));
}

function shrink(sections: Section[], view: RolloutView, frame: Frame): void {
  const total = () => sections.reduce((sum, { lines }) => sum + lines.length, 0);
  for (const name of GIVES_WAY) {
    const over = total() - frame.height;
    if (over <= 0) return;
    const section = sections.find((each) => each.name === name);
    if (section === undefined) continue;
    const rows = Math.max(section.least, section.lines.length - over);
    if (rows >= section.lines.length) continue;
    section.lines =
      name === 'stages'
        ? stageLines(view, rows, frame.now).map((line) => [piece('  '), ...line])
        : section.lines.slice(0, rows);
  }
}

function headLine(view: RolloutView, now: number): Line {
  const sign = stateSign(view);
  const by = view.startedBy === null ? '' : ` by ${view.startedBy}`;
  const time =
    view.endedAt === null ? `started ${ago(view.startedAt, now)} ago` : `took ${ago(view.startedAt, view.endedAt)}`;
  return [
    piece(sign.text, sign.style),
    piece(` ${view.app}/${view.environment}`, 'bold'),
    piece(`  ${view.strategy}  `),
    piece(stateWord(view), sign.style),
    piece(`  ${time}${by}`, 'dim'),
  ];
}

function aboutLines(view: RolloutView, width: number): Line[] {
  const split = splitLine(view, width - 2);
  const target = view.target === '' ? [] : [piece(`${view.target} on ${view.platform}`, 'dim')];
  const message = view.message === null ? [] : [piece(`${target.length === 0 ? '' : ' · '}${view.message}`, 'dim')];
  const words = view.access?.policy === null ? accessWords(view) : null;
  const open = words === null ? [] : [[piece(words, 'yellow')] as Line];
  const others = (view.access === null ? [] : otherPolicyWords(view.access)).map(
    (text): Line => [piece(text, 'yellow')],
  );
  return [...[split, ...(target.length + message.length === 0 ? [] : [[...target, ...message]])], ...open, ...others];
}

/** Who does not wait for a weight. */
function bypassLines({ bypass, outcome }: RolloutView, width: number): Line[] {
  if (bypass.length === 0) return [];
  const texts = [`${bypassHead(outcome)}:`, ...bypass.map(({ id, what }) => `- ${id}: ${what}`)];
  return texts.flatMap((text) => wrap(text, width).map((part): Line => [piece(part, 'yellow')]));
}

function refusalLines(view: RolloutView, now: number): Line[] {
  const lines = view.refusals
    .slice(-REFUSALS)
    .map(({ at, verb, by, why }): Line => [piece(`${ago(at, now)} ago ${verb} by ${by}: ${why}`, 'yellow')]);
  return lines.length === 0 ? [] : [[piece(`refused commands: ${view.refusalsTotal}`, 'yellow')], ...lines];
}

function eventLines(view: RolloutView, now: number): Line[] {
  return view.events
    .slice(-EVENTS)
    .map(
      ({ at, text, by }): Line => [piece(`${ago(at, now)} ago ${text}${by === undefined ? '' : ` by ${by}`}`, 'dim')],
    );
}

/** The request stays whole where the error has to be cut: it is what the logs are searched by. */
function errorLines(view: RolloutView, width: number): Line[] {
  if (view.errors.length === 0) return [];
  return [
    [piece('most frequent errors of the candidate:', 'red')],
    ...view.errors.map(({ what, count, requestId }): Line => {
      const request = requestId === undefined ? [] : [piece(` (request ${requestId})`, 'red')];
      return [...clip([piece(`  ${count} × ${what}`, 'red')], Math.max(0, width - widthOf(request))), ...request];
    }),
  ];
}

/** The reason last and in full, with the code a person can look up. */
function reasonLines(view: RolloutView, trouble: string | null, width: number): Line[] {
  const lines: Line[] = [];
  if (trouble !== null) lines.push(...wrap(trouble, width - 2).map((text): Line => [piece(`! ${text}`, 'yellow')]));
  if (view.reason === null) return lines;
  const sign = stateSign(view);
  const code = view.code === null ? '' : ` [${view.code}]`;
  const said = wrap(`${shortWord(view)}: ${view.reason}${code}`, width);
  return [...lines, ...said.map((text): Line => [piece(text, sign.style)])];
}

function listed(texts: string[], most: number, style: 'yellow'): Line[] {
  const lines = texts.slice(0, most).map((text): Line => [piece(text, style)]);
  return texts.length <= most ? lines : [...lines, [piece(`… ${texts.length - most} more`, 'dim')]];
}
