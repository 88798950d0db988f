/** Data goes to stdout, progress to stderr. */
import type { Context, Sink } from './command.js';
import type { Frame } from './render/pieces.js';

/** Data for a person: lines. */
export function print(ctx: Context, lines: string | string[]): void {
  const text = typeof lines === 'string' ? lines : lines.join('\n');
  if (text !== '') ctx.stdout.write(`${text}\n`);
}

/** Data for a program: one line of JSON. */
export function printJson(ctx: Context, value: unknown): void {
  ctx.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Progress, hints. */
export function note(ctx: Context, text: string): void {
  ctx.stderr.write(`${text}\n`);
}

/** The room for output: rows are limited only when it is redrawn in place, columns only on a terminal. */
export function frameOf(ctx: Context, redrawn = false): Frame {
  const { columns, rows } = ctx.stdout;
  return {
    width: isTerminal(ctx.stdout) ? (columns ?? 80) : Number.POSITIVE_INFINITY,
    // The last row stays free for the cursor.
    height: redrawn ? Math.max(2, (rows ?? 24) - 1) : Number.POSITIVE_INFINITY,
    colour: ctx.colour,
    now: ctx.now(),
  };
}

export function isTerminal(sink: Sink): boolean {
  return sink.isTTY === true;
}

/** Colour only on a terminal that supports it, unless FORCE_COLOR is set; NO_COLOR and `--no-color` turn it off. */
export function wantsColour(sink: Sink, env: Record<string, string | undefined>, refused: boolean): boolean {
  if (refused || (env.NO_COLOR ?? '') !== '') return false;
  if ((env.FORCE_COLOR ?? '') !== '' && env.FORCE_COLOR !== '0') return true;
  return isTerminal(sink) && env.TERM !== 'dumb';
}

/** Whether output may be redrawn in place. */
export function mayRedraw(ctx: Context): boolean {
  return !ctx.json && isTerminal(ctx.stdout) && ctx.env.TERM !== 'dumb' && (ctx.env.CI ?? '') === '';
}
