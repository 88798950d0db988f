/** Largest spec that a companion keeps, in characters of JSON. */
export const LARGEST_SPEC = 300_000;
/** Deepest nesting that is kept: JSON has no limit of its own, and what is too deep cannot be written again. */
const DEEPEST = 60;

/** Whether it is an object that can be kept: of at most `largest` characters of JSON, and not nested without end. */
export function isJson(value: unknown, largest: number): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return isShallow(value, DEEPEST) && JSON.stringify(value).length <= largest;
}

function isShallow(value: unknown, left: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return left > 0 && Object.values(value).every((inner) => isShallow(inner, left - 1));
}
