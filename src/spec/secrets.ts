/** Checks where in a spec references to secrets stand. */

import { isReference, mentionsReference, parseReference } from '../model/secrets.js';
import type { Report } from '../model/spec.js';

/** Where a reference may stand, as paths of rollout.yaml; `*` is any name or number. */
const PLACES = [
  'configuration.environment.*',
  'health.probes.*.http.headers.*',
  'health.metrics.*.http.headers.*',
  'health.metrics.*.http.token',
  'health.metrics.*.prometheus.token',
  'notify.*.secret',
].map((place) => place.split('.'));

const WHERE =
  'configuration.environment, headers and token of probes and metrics by HTTP, token of prometheus, notify[].secret';

/** Refuses references that are malformed, that are a part of a value, or that stand where nothing would read them. */
export function checkReferences(spec: unknown, fault: Report, path: (string | number)[] = []): void {
  if (Array.isArray(spec)) {
    for (const [i, inner] of spec.entries()) checkReferences(inner, fault, [...path, i]);
  } else if (typeof spec === 'object' && spec !== null) {
    checkHost(spec as Record<string, unknown>, fault, path);
    for (const [key, inner] of Object.entries(spec)) checkReferences(inner, fault, [...path, key]);
  } else if (typeof spec === 'string' && mentionsReference(spec)) {
    const why = problemOf(spec, path);
    if (why !== null) fault(path, why);
  }
}

/**
 * Behind one address there may be many hosts, and only this header tells them apart: the secret would go to the one that it
 * names.
 */
function checkHost({ headers, token }: Record<string, unknown>, fault: Report, path: (string | number)[]): void {
  if (typeof headers !== 'object' || headers === null) return;
  const host = Object.keys(headers).find((name) => name.toLowerCase() === 'host');
  const secrets = [token, ...Object.values(headers)].filter((value) => typeof value === 'string' && isReference(value));
  if (host === undefined || secrets.length === 0) return;
  fault(
    [...path, 'headers', host],
    'names another host than the URL, to which the secrets beside it would go (remove it, or name the host in the URL)',
  );
}

function problemOf(text: string, path: (string | number)[]): string | null {
  if (!PLACES.some((place) => matches(place, path)))
    return `a secret reference is not allowed here (allowed in ${WHERE})`;
  if (!isReference(text)) {
    return 'a reference must be the whole value and begin with secret://, such as secret://env/NAME (keep the whole value in the store, `Bearer …` included)';
  }
  const parsed = parseReference(text);
  return 'problem' in parsed ? parsed.problem : null;
}

function matches(place: string[], path: (string | number)[]): boolean {
  return place.length === path.length && place.every((part, i) => part === '*' || part === path[i]);
}
