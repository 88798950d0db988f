/** Whether an answer is what a probe expects. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { ProbeExpect } from '../model/spec.js';
import { clean } from '../model/text.js';
import { at } from './json-path.js';

/** Why the answer is not as expected; null when it is. */
export function unmet(expect: ProbeExpect, answer: { status: unknown; value: unknown }): string | null {
  if (expect.status !== undefined && answer.status !== expect.status) {
    return `status ${brief(answer.status)}, expected ${expect.status}`;
  }
  if (expect.path === undefined) return null;
  const found = at(answer.value, expect.path);
  if (found === undefined) return `nothing at ${expect.path}`;
  if (Object.hasOwn(expect, 'equals') && !isDeepStrictEqual(found, expect.equals)) {
    return `${expect.path} is ${brief(found)}, expected ${brief(expect.equals)}`;
  }
  return null;
}

function brief(value: unknown): string {
  return value === undefined ? 'none' : clean(JSON.stringify(value), 60);
}
