/** Columns padded with blanks, no borders. Pure. */
import stringWidth from 'string-width';
import { clip, type Line, pad, paint, piece, type Style } from './pieces.js';

export interface Cell {
  text: string;
  style?: Style;
}

/** The head and the rows; every cell may hold text from anywhere. Lines are cut at `width`. */
export function table(head: string[], rows: Cell[][], on: { width: number; colour: boolean }): string[] {
  const all: Cell[][] = [head.map((text) => ({ text, style: 'dim' as const })), ...rows];
  const safe = all.map((row) => row.map(({ text, style }) => piece(text, style ?? 'plain')));
  const widths = head.map((_, column) => Math.max(...safe.map((row) => stringWidth(row[column]?.text ?? ''))));
  return safe.map((row) => {
    const line: Line = row.map(({ text, style }, column) => ({
      text: column === row.length - 1 ? text : `${pad(text, widths[column] ?? 0)}  `,
      style,
    }));
    return paint(clip(line, on.width), on.colour).trimEnd();
  });
}
