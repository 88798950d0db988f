/** A log of what an emulated cloud did, in memory and optionally in a file. */
import { appendFileSync } from 'node:fs';

/** What was done, in the order of its effect: in memory and, when asked, as one JSON line each in a file. */
export class Log<T extends { seq: number; time: number }> {
  #entries: T[] = [];
  #seq = 0;

  constructor(readonly file: string | null) {}

  all(): T[] {
    return [...this.#entries];
  }

  /** Numbers go on where they were. */
  clear(): void {
    this.#entries = [];
  }

  /** Numbers an entry, from 1, and says when it was, in ms since the epoch. */
  protected append(about: Omit<T, 'seq' | 'time'>): T {
    const entry = { seq: ++this.#seq, time: Date.now(), ...about } as T;
    this.#entries.push(entry);
    if (this.file !== null) appendFileSync(this.file, `${JSON.stringify(entry)}\n`);
    return entry;
  }
}
