/** What a secret may look like in a text, and the text without it. Pure. */
import { clean } from '../../src/model/text.js';

export const SCRUBBED = '[secret]';

/** Shorter ones would take ordinary words out of every text, and are guessed anyway. */
const SHORTEST = 4;
/** Ends a text that was cut. */
const CUT = '…';

/**
 * The value as it is, as it stands in JSON, in a URL and a form, on one line, and in base64 wherever it begins within a longer
 * text. None for a value that is too short.
 */
export function formsOf(value: string): string[] {
  if (value.length < SHORTEST) return [];
  const json = JSON.stringify(value).slice(1, -1);
  const form = new URLSearchParams({ '': value }).toString().slice(1);
  const plain = [value, clean(value, Number.POSITIVE_INFINITY), json, JSON.stringify(json).slice(1, -1), form];
  const whole = (['base64', 'base64url'] as const).map((how) => Buffer.from(value, 'utf8').toString(how));
  const forms = [...plain, encoded(value), ...whole, ...base64Of(value)];
  return [...new Set(forms)].filter((one) => one.length >= SHORTEST);
}

function encoded(value: string): string {
  try {
    return encodeURIComponent(value);
  } catch {
    // Half of a pair of surrogates has no such form.
    return value;
  }
}

/** Three bytes make four signs, so that there are three ways to stand in a longer text; the signs at its ends are shared. */
function base64Of(value: string): string[] {
  const bytes = Buffer.from(value, 'utf8');
  const inside = [0, 1, 2].flatMap((shift) => {
    const skipped = shift === 0 ? 0 : shift + 1;
    const whole = Buffer.concat([Buffer.alloc(shift), bytes]);
    const signs = whole.toString('base64').replace(/=+$/, '');
    const shared = whole.length % 3 === 0 ? 0 : 1;
    return [signs.slice(skipped, signs.length - shared)];
  });
  return [...inside, ...inside.map((signs) => signs.replaceAll('+', '-').replaceAll('/', '_'))];
}

/** The text with `[secret]` in place of each form (longest first), of one that a cut has left the beginning of too. */
export function withoutForms(text: string, forms: string[]): string {
  let said = text;
  for (const form of forms) said = said.replaceAll(form, SCRUBBED);
  return said.includes(CUT)
    ? said
        .split(CUT)
        .map((part, i, all) => (i === all.length - 1 ? part : begun(part, forms)))
        .join(CUT)
    : said;
}

function begun(text: string, forms: string[]): string {
  for (const form of forms) {
    for (let length = Math.min(form.length - 1, text.length); length >= SHORTEST; length -= 1) {
      if (text.endsWith(form.slice(0, length))) return text.slice(0, -length) + SCRUBBED;
    }
  }
  return text;
}
