/** What the rollout waits for, until when, and the exact command that answers. */
import { VERB_TABLE } from '../../model/verbs.js';
import type { RolloutView } from '../../model/view.js';
import type { MessageVerb } from '../../model/words.js';
import type { Line } from './pieces.js';
import { pad, piece, wrap } from './pieces.js';
import { left, moment } from './time.js';

/** While it bakes nobody has to act; these are what a person may want. */
const WHILE_BAKING: readonly MessageVerb[] = ['skip', 'pause', 'abort'];

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

export function commandLines(view: RolloutView): Line[] {
  const { waitingFor: waits } = view;
  if (waits === null) return [];
  const verbs = view.phase === 'baking' ? waits.verbs.filter((verb) => WHILE_BAKING.includes(verb)) : waits.verbs;
  const commands = verbs.map((verb) => ({ verb, command: commandOf(view, verb) }));
  const columns = Math.max(0, ...commands.map(({ command }) => command.length));
  return commands.map(({ verb, command }) => [
    piece(`  ${pad(command, columns)}`, 'cyan'),
    piece(`  ${(VERB_TABLE[verb].does.split('. ')[0] ?? '').replace(/\.$/, '').replaceAll('`', '')}`, 'dim'),
  ]);
}

/** The command a person would type now. */
export function commandOf(view: RolloutView, verb: MessageVerb): string {
  const target = `${view.app}/${view.environment}`;
  const stage = view.waitingFor?.stage ?? null;
  if ((verb === 'approve' || verb === 'reject') && stage !== null)
    return `sluice ${verb} ${target} --stage ${quoted(stage)}${view.waitingFor?.gate?.comment === true ? ' -m "why"' : ''}`;
  if (view.code === 'SLUICE_FOREIGN_CHANGE' && verb === 'abort') return `sluice abort ${target} --force`;
  if (view.code === 'SLUICE_FOREIGN_CHANGE' && verb === 'retry') return `sluice retry ${target} --adopt`;
  return `sluice ${verb} ${target}`;
}

function quoted(word: string): string {
  return /^[\w.%:+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
