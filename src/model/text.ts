/** Texts from outside, made harmless for a terminal, for Markdown, and for a limit. */

/** Without control characters, on one line, at most `limit` characters. */
export function clean(text: unknown, limit = 200): string {
  const plain = textOf(text)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
    .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g, ' ')
    .trim();
  return plain.length > limit ? `${plain.slice(0, limit - 1)}…` : plain;
}

/** A foreign value may have its own `toString`, as JSON can, that is not a function. */
function textOf(value: unknown): string {
  try {
    return String(value ?? '');
  } catch {
    return '';
  }
}

/** As inline code in Markdown, whatever it holds. */
export function code(text: unknown, limit = 200): string {
  return `\`${clean(text, limit).replaceAll('`', "'")}\``;
}

/**
 * The text of UTF-8 bytes, with a byte order mark kept. Null if they are not UTF-8: otherwise a replacement character would
 * pass as the text.
 */
export function utf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** `90s`, `5m`, `1h30m`, `2d`. */
export function duration(ms: number): string {
  const total = Math.max(0, Math.round(ms / 1000));
  if (ms > 0 && ms < 1000) return `${Math.round(ms)}ms`;
  const parts: [number, string][] = [
    [Math.floor(total / 86_400), 'd'],
    [Math.floor(total / 3_600) % 24, 'h'],
    [Math.floor(total / 60) % 60, 'm'],
    [total % 60, 's'],
  ];
  const said = parts.filter(([n]) => n > 0).slice(0, 2);
  return said.length === 0 ? '0s' : said.map(([n, unit]) => `${n}${unit}`).join('');
}

/** `2026-03-01 10:12:03 UTC`. */
export function moment(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
