/** All that was found at the places, once each, until it is searched. */
import { createHash } from 'node:crypto';
import type { Finder, Mark } from './search.js';

/** Everywhere that a value could come to lie. */
export const PLACES = [
  'history',
  'server database',
  'describe',
  'memo',
  'search attributes',
  'visibility list',
  'pending heartbeats',
  'pending failures',
  'query status',
  'query plan',
  'query companion',
  'query undoRecord',
  'current details',
  'worker log',
  'server log',
  'sluice get',
  'sluice status',
  'sluice plan',
  'sluice list',
  'sluice history',
  'sluice releases',
  'sluice approvals',
  'sluice audit',
  'sluice report',
  'artifact store',
  'temporary files',
  'AWS requests',
  'Azure requests',
  'probe requests',
  'metric requests',
  'webhook requests',
] as const;
export type PlaceName = (typeof PLACES)[number];

interface Piece {
  /** Which workflow, file or request. */
  where: string;
  bytes: Buffer;
  /** Marks that belong here: the call that is made to carry them. */
  own: (mark: string) => boolean;
}

export interface Leak {
  place: PlaceName;
  where: string;
  mark: string;
  form: string;
}

export class Gathered {
  readonly #pieces = new Map<PlaceName, Map<string, Piece>>();

  add(place: PlaceName, where: string, bytes: Buffer | string, own: Piece['own'] = () => false): void {
    const buffer = Buffer.from(bytes as string);
    const pieces = this.#pieces.get(place) ?? new Map<string, Piece>();
    this.#pieces.set(place, pieces);
    pieces.set(createHash('sha1').update(where).update(buffer).digest('hex'), { where, bytes: buffer, own });
  }

  /** Places at which nothing was found to look at: their search would prove nothing. */
  empty(): PlaceName[] {
    return PLACES.filter((place) => (this.#pieces.get(place)?.size ?? 0) === 0);
  }

  size(place: PlaceName): { pieces: number; bytes: number } {
    const pieces = [...(this.#pieces.get(place)?.values() ?? [])];
    return { pieces: pieces.length, bytes: pieces.reduce((sum, { bytes }) => sum + bytes.length, 0) };
  }

  /** What stands where it must not; `arrived` are the marks that came where they belong. */
  search(finder: Finder): { leaks: Leak[]; arrived: Set<Mark['name']> } {
    const leaks: Leak[] = [];
    const arrived = new Set<string>();
    for (const [place, pieces] of this.#pieces) {
      for (const { where, bytes, own } of pieces.values()) {
        for (const { mark, form } of finder.find(bytes)) {
          if (own(mark)) arrived.add(mark);
          else leaks.push({ place, where, mark, form });
        }
      }
    }
    return { leaks, arrived };
  }
}
