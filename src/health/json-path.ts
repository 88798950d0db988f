/** The small part of JSONPath that a probe's expectation needs: `$`, `.member`, `[index]`. */
import { SluiceError } from '../model/errors.js';

const PATH = /^\$(?:\.[A-Za-z_][\w-]*|\[\d+\])*$/;
const PART = /\.([A-Za-z_][\w-]*)|\[(\d+)\]/g;

/**
 * The value at `path` (`$.a.b[0]`) in `value`; undefined if there is none. A text on the way that contains JSON is parsed,
 * because functions behind a gateway answer `{"body": "{…}"}`. Errors: SLUICE_SPEC for an invalid path.
 */
export function at(value: unknown, path: string): unknown {
  if (!PATH.test(path)) throw new SluiceError('SLUICE_SPEC', `"${path}" is not a JSON path such as $.items[0].id`);
  let here = value;
  for (const [, member, index] of path.matchAll(PART)) {
    const inside = opened(here);
    const key = member ?? index ?? '';
    const fits = Array.isArray(inside) ? index !== undefined : member !== undefined;
    if (typeof inside !== 'object' || inside === null || !fits || !Object.hasOwn(inside, key)) return undefined;
    here = (inside as Record<string, unknown>)[key];
  }
  return here;
}

function opened(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
