/** What of a store nothing has used for long. Pure but for the listing. */
import type { ObjectStore } from './port.js';

/** How long an artifact is kept after it was last stored or used, in ms: 30 days, and the day that a note of use covers. */
export const KEPT_UNUSED = 31 * 86_400_000;

/** An artifact or a document that nothing has used for long, with everything stored beside it. */
export interface Unused {
  /** `<namespace>/<app>/<sha256>.zip`. */
  name: string;
  bytes: number;
  /** When it was last put or used, ms since the epoch. */
  lastUsed: number;
  keys: string[];
}

const OBJECT = /^(.+\/([0-9a-f]{64})\.(?:zip|json))(?:\.(?:used|wrong)\/.*)?$/;

/** What below `prefix` was last used before `before`, and is not `held` by its digest. Objects of other names are nobody's here. */
export async function unusedIn(
  store: ObjectStore,
  { prefix, before, held }: { prefix: string; before: number; held: ReadonlySet<string> },
): Promise<Unused[]> {
  const found = new Map<string, Unused & { digest: string }>();
  for await (const { key, bytes, at } of store.list(prefix)) {
    const [, name, digest] = OBJECT.exec(key) ?? [];
    if (name === undefined || digest === undefined) continue;
    const one = found.get(name) ?? { name, digest, bytes: 0, lastUsed: 0, keys: [] };
    one.bytes += bytes;
    one.lastUsed = Math.max(one.lastUsed, at);
    one.keys.push(key);
    found.set(name, one);
  }
  return [...found.values()]
    .filter(({ digest, lastUsed }) => lastUsed < before && !held.has(digest))
    .map(({ digest: _digest, ...unused }) => unused);
}

/** Deletes one, unless it was used since it was found. The object itself goes first: a note without it keeps nothing. */
export async function removeUnused(store: ObjectStore, { name, keys, lastUsed }: Unused): Promise<boolean> {
  for await (const { at } of store.list(name)) if (at > lastUsed) return false;
  for (const key of [name, ...keys.filter((each) => each !== name)]) await store.remove(key);
  return true;
}
