/** What the rollout waits for, until when, and the exact command that answers. */
import { choicesOf } from '../../model/rollout/next.js';
import { stateWord, waitingWords } from '../../model/rollout/words.js';
import type { RolloutView } from '../../model/view.js';
import type { Line } from './pieces.js';
import { pad, piece, wrap } from './pieces.js';
import { left } from './time.js';

/** Columns of the bars around a call for a person. */
const BAR = 80;

/** In whole sentences, on as many lines of `width` columns as they take. */
export function waitingLines(view: RolloutView, width: number, now: number): Line[] {
  const text = waitingAt(view, now);
  return text === null ? [] : wrap(text, width).map((part) => [piece(part, 'bold')]);
}

/** `waiting for …, 3m left (until …); then …`. Null when it waits for nobody. */
export function waitingAt(view: RolloutView, now: number): string | null {
  return waitingWords(view, (until) => left(until, now));
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
    waitingAt(view, now) ?? '',
  ];
  return [
    bar,
    ...said.filter((text) => text !== '').map((text): Line => [piece(text, 'yellow')]),
    [piece('answer it with one of:', 'yellow')],
    ...commandLines(view),
    bar,
  ];
}
