/**
 * Requests that were our own probes, by the platform's ids, so that a source that sees all requests can leave them out. A watcher hands
 * them on to the next one, which reads the last stretches of the one before.
 */

import type { HandedOn } from './types.js';

/** Ids remembered: more than all probes of a watcher can send (20 a second each) within a source's watermark. */
const MOST = 50_000;
/** Ids handed on at most. Stretches from before the oldest of them are read by nobody any more. */
const MOST_HANDED_ON = 1_000;
/** Of an id, which is a UUID: its last part tells requests of minutes apart. */
const KEPT = 12;

export class OwnRequests {
  /** When each was sent, in ms since the epoch. */
  private readonly sent = new Map<string, number>();
  /** From when on all are known, in ms since the epoch. */
  readonly since: number;

  constructor(before: HandedOn | null = null) {
    this.since = before?.since ?? 0;
    for (const [id, at] of before?.sent ?? []) this.sent.set(id, at);
  }

  /** `at`: when it was sent, in ms since the epoch. */
  add(id: string, at: number): void {
    this.sent.set(id.slice(-KEPT), at);
    if (this.sent.size <= MOST) return;
    const [oldest] = this.sent.keys();
    if (oldest !== undefined) this.sent.delete(oldest);
  }

  has(id: string): boolean {
    return this.sent.has(id.slice(-KEPT));
  }

  /** Those sent at `from` or later (ms since the epoch), or as many of the last as are handed on. */
  handOn(from: number): HandedOn {
    const wanted = [...this.sent].filter(([, at]) => at >= from).sort(([, one], [, other]) => one - other);
    const sent = wanted.slice(-MOST_HANDED_ON);
    const since = sent.length < wanted.length ? (sent[0]?.[1] ?? from) : Math.max(from, this.since);
    return { since, sent };
  }
}
