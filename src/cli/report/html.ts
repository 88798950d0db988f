/** HTML whose texts are escaped unless they are HTML already. Pure. */
import { clean } from '../../model/text.js';

/** Longest foreign text on the page, in characters. */
const LONGEST = 2_000;

/** What is HTML and must not be escaped again. Made by `html` alone, and by `trusted` of the project's own files. */
export class Html {
  constructor(readonly text: string) {}
}

type Value = Html | string | number | null | Value[];

/** `` html`<b>${anything}</b>` ``: strings are escaped, lists joined, null is nothing. */
export function html(parts: TemplateStringsArray, ...values: Value[]): Html {
  return new Html(parts.map((part, at) => part + textOf(values[at] ?? null)).join(''));
}

/** The project's own CSS and JavaScript, and nobody else's. */
export function trusted(text: string): Html {
  return new Html(text);
}

function textOf(value: Value): string {
  if (value === null) return '';
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(textOf).join('');
  return escaped(clean(value, LONGEST));
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);
}

/** JSON for a `<script>` block: nothing in it can end the block. */
export function jsonBlock(value: unknown): Html {
  return trusted(JSON.stringify(value).replaceAll('<', '\\u003c'));
}
