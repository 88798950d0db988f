/** Lines of styled text: cut by what a terminal shows, coloured last. Pure. */
import pc from 'picocolors';
import stringWidth from 'string-width';
import { clean } from '../../model/text.js';

export type Style = 'plain' | 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

export interface Piece {
  text: string;
  style: Style;
}

/** One line of a screen. */
export type Line = Piece[];

/** What a screen is drawn on. */
export interface Frame {
  /** Columns. */
  width: number;
  /** Rows; `Infinity` when nothing limits them. */
  height: number;
  colour: boolean;
  /** ms since the epoch. */
  now: number;
}

/** A piece of text from anywhere: control characters are taken out. */
export function piece(text: unknown, style: Style = 'plain'): Piece {
  const raw = String(text);
  // `clean` trims; the blanks around a piece are layout and stay.
  const head = /^ */.exec(raw)?.[0] ?? '';
  const body = clean(raw, 10_000);
  const tail = body === '' ? '' : (/ *$/.exec(raw)?.[0] ?? '');
  return { text: `${head}${body}${tail}`, style };
}

export function widthOf(line: Line): number {
  return line.reduce((sum, { text }) => sum + stringWidth(text), 0);
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** At most `width` columns; `…` marks a cut. */
export function clip(line: Line, width: number): Line {
  if (widthOf(line) <= width) return line;
  const kept: Line = [];
  let left = width - 1;
  for (const { text, style } of line) {
    let taken = '';
    for (const { segment } of graphemes.segment(text)) {
      const columns = stringWidth(segment);
      if (columns > left) {
        left = 0;
        break;
      }
      taken += segment;
      left -= columns;
    }
    if (taken !== '') kept.push({ text: taken, style });
    if (left <= 0) break;
  }
  return width < 1 ? [] : [...kept, { text: '…', style: 'dim' }];
}

/** Text broken at blanks into lines of at most `width` columns; a longer word is broken anywhere. */
export function wrap(text: string, width: number): string[] {
  const room = Math.max(1, width);
  const lines: string[] = [];
  let line = '';
  for (const word of clean(text, 10_000).split(/ +/)) {
    let rest = word;
    if (line !== '' && stringWidth(`${line} ${rest}`) <= room) {
      line = `${line} ${rest}`;
      continue;
    }
    if (line !== '') lines.push(line);
    while (stringWidth(rest) > room) {
      const head = headOf(rest, room);
      lines.push(head);
      rest = rest.slice(head.length);
    }
    line = rest;
  }
  return line === '' ? lines : [...lines, line];
}

function headOf(text: string, width: number): string {
  let head = '';
  for (const { segment } of graphemes.segment(text)) {
    if (head !== '' && stringWidth(head + segment) > width) break;
    head += segment;
  }
  return head;
}

/** Padded with blanks to `width` columns. */
export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - stringWidth(text)));
}

/** The line as text, with escape codes only when `colour`. */
export function paint(line: Line, colour: boolean): string {
  const colours = pc.createColors(colour);
  const painted = line.map(({ text, style }) => (style === 'plain' ? text : colours[style](text)));
  return colour ? painted.join('') : painted.join('').trimEnd();
}
