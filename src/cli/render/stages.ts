/** The stages as a tree. */
import stringWidth from 'string-width';
import { shortWord } from '../../model/rollout/words.js';
import type { RolloutView, StageView } from '../../model/view.js';
import type { Line } from './pieces.js';
import { pad, piece } from './pieces.js';
import { left } from './time.js';
import { stageSign } from './words.js';

/** One line per stage, at most `rows`: the stages around the running one stay, and the number of omitted ones is shown. */
export function stageLines(view: RolloutView, rows: number, now: number): Line[] {
  const { stages } = view;
  const columns = Math.max(0, ...stages.map(({ name }) => stringWidth(name)));
  const lines = stages.map((stage, at) => stageLine(view, stage, at === stages.length - 1, columns, now));
  if (lines.length <= rows) return lines;
  const room = Math.max(1, rows - 2);
  const running = stages.findIndex(({ state }) => state === 'running' || state === 'failed');
  const middle = running === -1 ? (view.phase === 'done' ? stages.length - 1 : 0) : running;
  const from = Math.max(0, Math.min(middle - Math.floor(room / 2), lines.length - room));
  const kept = lines.slice(from, from + room);
  const after = lines.length - from - room;
  return [
    ...(from > 0 ? [[piece(`│ … ${from} more before`, 'dim')]] : []),
    ...kept,
    ...(after > 0 ? [[piece(`└ … ${after} more to come`, 'dim')]] : []),
  ].slice(0, Math.max(1, rows));
}

function stageLine(view: RolloutView, stage: StageView, last: boolean, columns: number, now: number): Line {
  const sign = stageSign(stage, view);
  const weight = stage.weight === null ? '' : `${stage.weight} %`;
  return [
    piece(last ? '└ ' : '├ ', 'dim'),
    piece(sign.text, sign.style),
    piece(` ${pad(stage.name, columns)}`, stage.state === 'running' ? 'bold' : 'plain'),
    piece(` ${weight.padStart(6)}  `),
    ...doing(view, stage, now),
    ...(stage.note === null ? [] : [piece(`  ${stage.note}`, 'dim')]),
  ];
}

function doing(view: RolloutView, stage: StageView, now: number): Line {
  if (stage.state !== 'running' || stage.current === null) return [piece(stage.steps, 'dim')];
  return [piece(`${stage.current}${howFar(view, stage, now)}`, 'cyan')];
}

/** The clock of the step runs only while nothing holds it up, and never in a rollout that has ended. */
function howFar(view: RolloutView, stage: StageView, now: number): string {
  switch (view.phase) {
    case 'held':
    case 'paused':
    case 'stuck':
    case 'restoring':
      return `, ${shortWord(view)}`;
    case 'done':
      return '';
    default:
      return stage.until === null ? '' : `, ${left(stage.until, now)}`;
  }
}
