/** Why an HTTP request had no answer. */

interface Said {
  name?: unknown;
  message?: unknown;
  code?: unknown;
  cause?: Said;
}

/** `ECONNREFUSED`, `ENOTFOUND`, `TimeoutError`: Node's fetch itself says only "fetch failed", its cause says what. */
export function fetchReason(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const { cause, name, message } = error as Said;
  if (name === 'TimeoutError' || name === 'AbortError') return name;
  const said = cause?.code ?? cause?.message ?? message ?? name;
  return String(said || 'no reason given');
}
