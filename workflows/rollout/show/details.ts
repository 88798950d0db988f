/** What a person sees of a rollout in Temporal's UI: the view as Markdown. Pure. */
import { bypassHead } from '../../../src/model/bypass.js';
import { type Counts, type Pair, probeCalls } from '../../../src/model/counts.js';
import { evidence, grouped } from '../../../src/model/numbers.js';
import { choicesOf } from '../../../src/model/rollout/next.js';
import {
  accessWords,
  asOf,
  neededWords,
  otherPolicyWords,
  signOf,
  stateWord,
  trafficWords,
  verdictWords,
  waitingWords,
} from '../../../src/model/rollout/words.js';
import { clean, code, moment } from '../../../src/model/text.js';
import type { RolloutView, StageView, VerdictView } from '../../../src/model/view.js';

const FACES: Record<string, string> = { waiting: '○', running: '◐', passed: '✔', failed: '✖', skipped: '–' };

/**
 * The current details in the Temporal UI. The reason comes first. If the rollout is stuck or held, what a person can do
 * follows at once, with the exact payloads.
 */
export function details(view: RolloutView): string {
  const lines = [`## ${signOf(view)} ${capital(stateWord(view))}`];
  if (view.reason !== null) lines.push('', `**Why:** ${code(view.reason, 600)}`);
  // If nothing continues without a person, what they can do comes before what led there.
  const first = view.phase === 'stuck' || view.phase === 'held';
  const now = [...waitingLine(view), ...answers(view)];
  if (first) lines.push(...now);
  if (view.errors.length > 0) {
    lines.push(
      '',
      '**Most frequent errors of the candidate:**',
      ...view.errors.map(
        (e) =>
          `- ${e.count} × ${code(e.what)}${e.requestId === undefined ? '' : ` (request ${code(e.requestId, 60)})`}`,
      ),
    );
  }
  lines.push('', trafficLine(view), ...bypassLines(view));
  if (view.verdict !== null)
    lines.push(
      '',
      `**Health${asOf(view.verdict)}:** ${clean(verdictWords(view.verdict), 320)}`,
      ...countLines(view.verdict),
    );
  lines.push(...evidenceLines(view), ...(first ? [] : waitingLine(view)));
  if (view.stages.length > 0)
    lines.push('', ...table([['', 'Stage', 'Candidate', 'Steps', 'State'], ...view.stages.map(stageRow)]));
  lines.push(...(first ? [] : answers(view)), ...accessLines(view));
  if (view.warnings.length > 0)
    lines.push('', '**Worth knowing:**', ...view.warnings.slice(0, 5).map((each) => `- ${code(each, 300)}`));
  if (view.refusals.length > 0)
    lines.push(
      '',
      `**Refused messages (${view.refusalsTotal}):**`,
      ...view.refusals
        .slice(-5)
        .map((r) => `- ${moment(r.at)} ${code(r.verb, 40)} by ${code(r.by, 60)}: ${code(r.why)}`),
    );
  if (view.events.length > 0)
    lines.push(
      '',
      '**What happened:**',
      ...view.events
        .slice(-8)
        .map((e) => `- ${moment(e.at)} ${code(e.text, 300)}${e.by === undefined ? '' : ` by ${code(e.by, 60)}`}`),
    );
  return lines.join('\n');
}

/** Tells readers whether what is recorded here could have come from anyone. */
function accessLines(view: RolloutView): string[] {
  const words = accessWords(view);
  if (words === null || view.access === null) return [];
  return ['', `**Access:** ${words}.`, ...otherPolicyWords(view.access).map((other) => `**Beware:** ${other}.`)];
}

function trafficLine(view: RolloutView): string {
  const target = view.target === '' ? '' : `${code(view.target)}: `;
  return `**Traffic:** ${target}${clean(trafficWords(view), 300)}`;
}

/** Users' requests and our probes' calls, which are different evidence. */
function countLines(verdict: VerdictView): string[] {
  const probes = probeCalls(verdict);
  const line = (whose: string, { candidate, stable }: Pair) =>
    `- **${whose}:** candidate ${failedOf(candidate)}, stable ${failedOf(stable)}`;
  return [
    '',
    line(verdict.counted === 'probes' ? 'Our probes' : 'Users', verdict),
    ...(probes === null ? [] : [line('Our probes', probes)]),
  ];
}

function failedOf({ requests, errors }: Counts): string {
  return `${grouped(errors)} of ${grouped(requests)} failed`;
}

/** Who gets the release without waiting for a weight. */
function bypassLines({ bypass, outcome }: RolloutView): string[] {
  if (bypass.length === 0) return [];
  return ['', `**${bypassHead(outcome)}:**`, ...bypass.map(({ id, what }) => `- ${code(id, 60)}: ${code(what, 300)}`)];
}

/** How many queries to sources the current details show; `sluice get` and the report show all. */
const ASKED = 8;

/** The evidence and its limit, and the queries to the sources: enough to check the verdict by hand. */
function evidenceLines(view: RolloutView): string[] {
  const { verdict } = view;
  if (verdict === null) return [];
  const needed = neededWords(view);
  return [
    '',
    `**Evidence:** ${evidence(verdict)}${needed === null ? '' : `; ${needed}`}`,
    ...verdict.asked
      .slice(0, ASKED)
      .map(({ source, query, answer }) => `- ${code(source, 60)}: ${code(query, 300)} → ${code(answer, 200)}`),
  ];
}

function waitingLine(view: RolloutView): string[] {
  const words = waitingWords(view);
  return words === null ? [] : ['', `${words.replace(/^waiting for/, '**Waiting for**')}.`];
}

/** What a person can do now, with the exact input of each signal. */
function answers(view: RolloutView): string[] {
  const choices = choicesOf(view);
  if (choices.length === 0) return [];
  const rows = choices.map(({ verb, does, payload, command }) => [
    `**${verb}**`,
    clean(does, 200),
    signed(view) ? 'must be signed' : code(payload),
    code(command),
  ]);
  const head = ['Signal', 'What it does', 'Input', 'Command'];
  return [
    '',
    signed(view)
      ? '**What you can do:** run a command in a terminal, with your key (`sluice key`); unsigned signals are refused:'
      : '**What you can do:** More Actions → Send a Signal, or run a command in a terminal:',
    '',
    ...table([head, ...rows]),
  ];
}

function signed(view: RolloutView): boolean {
  return view.access !== null && view.access.policy !== null;
}

function stageRow(stage: StageView): string[] {
  const state =
    stage.state === 'running' && stage.current !== null
      ? `${stage.current}${stage.until === null ? '' : `, until ${moment(stage.until)}`}`
      : stage.state;
  return [
    FACES[stage.state] ?? '',
    clean(stage.name, 60),
    stage.weight === null ? '' : `${stage.weight} %`,
    clean(stage.steps, 200),
    clean(state, 200),
  ];
}

/** A Markdown table with padded cells: the UI does not pad them. */
function table(rows: string[][]): string[] {
  const safe = rows.map((row) => row.map((cell) => `${cell.replaceAll('|', '\\|')}\u00a0\u00a0`));
  const widths = (safe[0] ?? []).map((_, column) => Math.max(3, ...safe.map((row) => (row[column] ?? '').length)));
  const line = (row: string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 3)).join(' | ')} |`;
  const [head = [], ...body] = safe;
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...body.map(line)];
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
