/** What a secret may look like in a text, and the text without it. Pure. */
import { clean } from '../model/text.js';
import { HALF, type Layer, layersOf } from './layers.js';

export const SCRUBBED = '[secret]';

/** Shorter ones would take ordinary words out of every text, and are guessed anyway. */
const SHORTEST = 4;
/** Ends a text that was cut. */
const CUT = '…';
const CUTS = /…|\\u2026/;

/** A value, or what one line, base64 or hex makes of it. */
export interface Form {
  text: string;
  /** Letters and digits in a row, which no encoding changes: without them a text needs no closer look. May be empty. */
  anchor: string;
  /** So many signs of it before a cut tell too much. */
  least: number;
}

/** Of a character of four bytes in a URL, in signs. */
const LONGEST_HALF = 11;

type Range = [start: number, end: number];

/**
 * The value as it is, on one line, in hex, and in base64 at any offset within a longer text. Searching a text decodes JSON,
 * URLs, forms and HTML. None for a value that is too short.
 */
export function formsOf(value: string): Form[] {
  if (value.length < SHORTEST) return [];
  const bare = value.trim().length < SHORTEST ? value : value.trim();
  // Half of a pair of surrogates has no bytes of its own.
  const sent = Buffer.from(value, 'utf8').toString('utf8');
  const plain = [value, bare, sent, clean(value, Number.POSITIVE_INFINITY)];
  const hex = Buffer.from(bare, 'utf8').toString('hex');
  return [
    ...formsFrom([...plain, ...base64Of(value), ...base64Of(bare)], SHORTEST),
    // Two signs a byte.
    ...formsFrom([hex, hex.toUpperCase()], 2 * SHORTEST),
  ];
}

function formsFrom(texts: string[], least: number): Form[] {
  const long = [...new Set(texts)].filter((text) => text.length >= SHORTEST);
  return long.map((text) => ({ text, anchor: longestOf(text.match(/[A-Za-z0-9]+/g) ?? []), least }));
}

function longestOf(words: string[]): string {
  // So many make it rare enough, and are looked for fast.
  return words.reduce((longest, word) => (word.length > longest.length ? word : longest), '').slice(0, 32);
}

/**
 * The whole, and the part that belongs only to the value: three bytes make four characters, so there are three offsets within
 * a longer text.
 */
function base64Of(value: string): string[] {
  const bytes = Buffer.from(value, 'utf8');
  const inside = [0, 1, 2].map((shift) => {
    const skipped = shift === 0 ? 0 : shift + 1;
    const whole = Buffer.concat([Buffer.alloc(shift), bytes]);
    const signs = whole.toString('base64').replace(/=+$/, '');
    const shared = whole.length % 3 === 0 ? 0 : 1;
    return signs.slice(skipped, signs.length - shared);
  });
  const forUrls = inside.map((signs) => signs.replaceAll('+', '-').replaceAll('/', '_'));
  return [bytes.toString('base64'), bytes.toString('base64url'), ...inside, ...forUrls];
}

/** The text with `[secret]` in place of each form, of one that a cut has left the beginning of too. */
export function withoutForms(text: string, forms: Form[]): string {
  const near = forms.filter(({ anchor }) => text.includes(anchor));
  const cut = CUTS.test(text);
  if (near.length === 0 && !cut) return text;
  const found = [...layersOf(text)].flatMap((layer) => [
    ...near.flatMap((form) => wholeIn(layer, form)),
    ...(cut ? begunIn(layer, forms) : []),
  ]);
  return withoutRanges(text, found);
}

function wholeIn({ text, origin }: Layer, form: Form): Range[] {
  const found: Range[] = [];
  const { length } = form.text;
  for (let at = text.indexOf(form.text); at !== -1; at = text.indexOf(form.text, at + length)) {
    found.push(origin(at, at + length));
  }
  return found;
}

/** The beginnings of forms before each cut. */
function begunIn(layer: Layer, forms: Form[]): Range[] {
  const found: Range[] = [];
  let from = 0;
  for (let at = layer.text.indexOf(CUT); at !== -1; at = layer.text.indexOf(CUT, from)) {
    const part = layer.text.slice(from, at);
    const half = HALF.exec(part.slice(-LONGEST_HALF))?.[0] ?? '';
    for (const end of new Set([part.length, part.length - half.length])) {
      // Counted as they appear, since an escape is many characters; half of one may be anything and counts little.
      const width = (length: number) =>
        widthOf(layer.origin(from + end - length, from + end)) + Number(end < part.length);
      const least = [1, 2, 3].find((length) => length <= end && width(length) >= SHORTEST) ?? SHORTEST;
      for (const form of forms) {
        const length = begunAt(part.slice(Math.max(0, end - form.text.length), end), form.text, least);
        if (length > 0 && width(length) >= form.least) found.push(layer.origin(from + end - length, at));
      }
    }
    from = at + 1;
  }
  return found;
}

const widthOf = ([start, end]: Range) => end - start;

/**
 * How many of the form's first signs a text ends with, 0 if fewer than `least` (Knuth, Morris and Pratt: in no more steps than
 * the two are long).
 */
function begunAt(text: string, form: string, least: number): number {
  const at = text.indexOf(form.slice(0, least));
  if (at === -1) return 0;
  const back = [0];
  const follow = (length: number, sign: string): number => {
    let now = length === form.length ? (back[length - 1] ?? 0) : length;
    while (now > 0 && form[now] !== sign) now = back[now - 1] ?? 0;
    return form[now] === sign ? now + 1 : 0;
  };
  for (let i = 1; i < form.length; i += 1) back.push(follow(back[i - 1] ?? 0, form.charAt(i)));
  let length = 0;
  for (const sign of text.slice(at).split('')) length = follow(length, sign);
  return length < least ? 0 : length;
}

/** Those that share signs are one. */
function withoutRanges(text: string, ranges: Range[]): string {
  const left: string[] = [];
  let kept = 0;
  for (const [start, end] of ranges.sort(([a], [b]) => a - b)) {
    if (start >= kept) left.push(text.slice(kept, start), SCRUBBED);
    kept = Math.max(kept, end);
  }
  return left.join('') + text.slice(kept);
}
