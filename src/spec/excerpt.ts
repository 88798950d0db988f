/** The line of a document that a problem is about, with a caret under the place. */
import stringWidth from 'string-width';

/** Columns of a line that are shown. */
const WIDTH = 100;

/** Two lines: the one numbered `line`, and a caret under its character `column` (both from 1). Null for an empty line. */
export function excerpt(text: string, line: number, column: number): string | null {
  const whole = plain(text.split('\n')[line - 1] ?? '');
  if (whole.trim() === '') return null;
  // Of a long line the part around the place.
  const from = column - 1 > WIDTH - 20 ? Math.max(0, column - 1 - WIDTH / 2) : 0;
  const shown = whole.slice(from, from + WIDTH).trimEnd();
  const number = String(line);
  const before = stringWidth(whole.slice(from, column - 1));
  return `  ${number} | ${shown}\n  ${' '.repeat(number.length)} | ${' '.repeat(before)}^`;
}

/** Nothing that moves a terminal's cursor, character for character. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, ' ');
}
