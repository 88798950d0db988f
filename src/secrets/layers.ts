/** A text as it is, and as what it says once an encoding is taken off: JSON, URLs, forms, HTML, one within another. Pure. */

/** A text with one encoding removed, which knows where each of its characters is in the original text. */
export interface Layer {
  text: string;
  /** From a range of this text to the range of the first text that says it. */
  origin(start: number, end: number): [start: number, end: number];
}

interface Encoding {
  pattern: RegExp;
  /** Null: this is none. */
  decode(written: string): string | null;
}

/** One that was taken off: where it begins and ends, before and after. */
interface Change {
  from: number;
  to: number;
  start: number;
  end: number;
}

const SHORT: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
const ASCII: Record<string, string> = {
  Tab: '\t',
  NewLine: '\n',
  excl: '!',
  quot: '"',
  num: '#',
  dollar: '$',
  percnt: '%',
  amp: '&',
  apos: "'",
  lpar: '(',
  rpar: ')',
  ast: '*',
  plus: '+',
  comma: ',',
  period: '.',
  sol: '/',
  colon: ':',
  semi: ';',
  lt: '<',
  equals: '=',
  gt: '>',
  quest: '?',
  commat: '@',
  lsqb: '[',
  bsol: '\\',
  rsqb: ']',
  Hat: '^',
  lowbar: '_',
  grave: '`',
  lcub: '{',
  verbar: '|',
  rcub: '}',
};
/** From U+00A0 on. */
const LATIN =
  `nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute
  micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave
  Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml
  Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth
  ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml`.split(/\s+/);
const NAMES = new Map([
  ...Object.entries(ASCII),
  ...LATIN.map((name, at) => [name, String.fromCharCode(0xa0 + at)] as const),
]);

const JSON_TEXT: Encoding = {
  pattern: /\\(?:u[0-9a-fA-F]{4}|[bfnrt]|[^A-Za-z0-9])/g,
  decode: (written) => {
    if (written.length > 2) return String.fromCharCode(Number.parseInt(written.slice(2), 16));
    return SHORT[written.charAt(1)] ?? written.slice(1);
  },
};
// One character at a time, which is one to four bytes.
const BYTES = /%[0-7][\da-f]|%[cd][\da-f]%[89ab][\da-f]|%e[\da-f](?:%[89ab][\da-f]){2}|%f[0-7](?:%[89ab][\da-f]){3}/;
const URL_TEXT: Encoding = { pattern: new RegExp(BYTES, 'gi'), decode: decodedUri };
const FORM: Encoding = {
  pattern: new RegExp(`\\+|${BYTES.source}`, 'gi'),
  decode: (written) => (written === '+' ? ' ' : decodedUri(written)),
};
const HTML: Encoding = {
  pattern: /&(?:#\d{1,8}|#[xX][\da-fA-F]{1,8}|[A-Za-z][A-Za-z\d]{1,7});/g,
  decode: (written) => {
    const said = written.slice(1, -1);
    if (!said.startsWith('#')) return NAMES.get(said) ?? null;
    const code = Number(said.replace(/^#[xX]/, '0x').replace('#', ''));
    return code > 0x10ffff ? null : String.fromCodePoint(code);
  },
};
const ENCODINGS = [JSON_TEXT, URL_TEXT, FORM, HTML];

/** How many encodings lie within each other; of JSON alone one more, as loggers like to wrap what is JSON of JSON already. */
const DEEPEST = 2;

/** What a text may end with where it was cut within an escape. */
export const HALF =
  /(?:\\+(?:u[\da-f]{0,3})?|%[c-f][\da-f](?:%[89ab][\da-f]){0,2}(?:%[\da-f]?)?|%[\da-f]?|&#?[\da-z]{0,8})$/i;

/** The text itself first; each of the others is another text. */
export function* layersOf(text: string): Generator<Layer> {
  const seen = new Set([text]);
  const open = [
    {
      layer: { text, origin: (start: number, end: number): [number, number] => [start, end] },
      taken: [] as Encoding[],
    },
  ];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { layer, taken } = next;
    yield layer;
    for (const encoding of ENCODINGS) {
      const chain = [...taken, encoding];
      if (chain.length > DEEPEST + (chain.every((one) => one === JSON_TEXT) ? 1 : 0)) continue;
      const under = without(layer, encoding);
      if (seen.has(under.text)) continue;
      seen.add(under.text);
      open.push({ layer: under, taken: chain });
    }
  }
}

function without(layer: Layer, { pattern, decode }: Encoding): Layer {
  const changes: Change[] = [];
  let length = 0;
  let last = 0;
  const text = layer.text.replace(pattern, (written: string, ...more: unknown[]) => {
    const decoded = decode(written);
    if (decoded === null) return written;
    const start = Number(more.at(-2));
    length += start - last;
    last = start + written.length;
    changes.push({ from: length, to: length + decoded.length, start, end: last });
    length += decoded.length;
    return decoded;
  });
  return {
    text,
    origin: (from, to) => layer.origin(before(changes, from)[0], before(changes, to - 1)[1]),
  };
}

/** Where the sign at a place begins and ends in the text before. */
function before(changes: Change[], at: number): [start: number, end: number] {
  let [low, high] = [0, changes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((changes[middle]?.from ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  const change = changes[low - 1];
  if (change === undefined) return [at, at + 1];
  if (at < change.to) return [change.start, change.end];
  const same = at - change.to + change.end;
  return [same, same + 1];
}

function decodedUri(written: string): string | null {
  try {
    return decodeURIComponent(written);
  } catch {
    // No UTF-8.
    return null;
  }
}
