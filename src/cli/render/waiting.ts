/** What the rollout waits for, until when, and the exact command that answers. */
import { choicesOf } from '../../model/choices.js';
import type { RolloutView } from '../../model/view.js';
import type { Line } from './pieces.js';
import { pad, piece, wrap } from './pieces.js';
import { left, moment } from './time.js';
import { stateWord } from './words.js';

/** Columns of the bars around a call for a person. */
const BAR = 80;

/** In whole sentences, on as many lines of `width` columns as they take. */
export function waitingLines(view: RolloutView, width: number, now: number): Line[] {
  const text = waitingText(view, now);
  return text === null ? [] : wrap(text, width).map((part) => [piece(part, 'bold')]);
}

/** `waits for …, 3m left (until …); then …`. Null when it waits for nobody. */
export function waitingText(view: RolloutView, now: number): string | null {
  const { waitingFor: waits } = view;
  if (waits === null) return null;
  if (waits.until === null) return `waits for ${waits.what}; ${waits.otherwise}`;
  return `waits for ${waits.what}, ${left(waits.until, now)} (until ${moment(waits.until)}); then ${waits.otherwise}`;
}

/** The commands that answer it, each with its effect. */
export function commandLines(view: RolloutView): Line[] {
  const choices = choicesOf(view);
  const columns = Math.max(0, ...choices.map(({ command }) => command.length));
  return choices.map(({ command, does }) => [piece(`  ${pad(command, columns)}`, 'cyan'), piece(`  ${does}`, 'dim')]);
}

/** A call for a person, in a log that nobody reads line by line: what waits, why, and each command that answers it. */
export function callLines(view: RolloutView, now: number): Line[] {
  const bar: Line = [piece('='.repeat(BAR), 'yellow')];
  const said = [
    `${view.app}/${view.environment} NEEDS A PERSON: ${stateWord(view)}`,
    ...(view.reason === null ? [] : [`why: ${view.reason}`]),
    waitingText(view, now) ?? '',
  ];
  return [
    bar,
    ...said.filter((text) => text !== '').map((text): Line => [piece(text, 'yellow')]),
    [piece('answer it with one of:', 'yellow')],
    ...commandLines(view),
    bar,
  ];
}
