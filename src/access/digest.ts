/** Digests that a client and a worker both come to, whatever the order of the keys. */
import { createHash } from 'node:crypto';

/** JSON with sorted keys and without what is undefined. */
export function canonical(value: unknown): string {
  return JSON.stringify(sorted(value)) ?? 'null';
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sorted(each)]),
  );
}

/** Hex SHA-256 of the canonical JSON. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex');
}

/** What a start is signed over: the workflow's argument without who says it and the proof itself. */
export function specDigest(input: Record<string, unknown>): string {
  const { token: _proof, startedBy: _by, ...spec } = input;
  return digestOf(spec);
}
