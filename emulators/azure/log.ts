import { appendFileSync } from 'node:fs';
import type { Rule } from './model.js';

/** One write to the control plane or to Kudu, refused ones too, in the order in which they took effect. */
export interface Write {
  /** From 1, in the order of effect. */
  seq: number;
  /** When it was answered, ms since the epoch. */
  time: number;
  operation: string;
  site: string;
  slot: string | null;
  status: number;
  /** Code and sentence, when refused. */
  error: string | null;
  /** The site when it was answered: the tag with the mark, the routing rules, and the releases by the settings. */
  mark: string;
  rules: Rule[];
  production: string | null;
  slots: Record<string, string | null>;
}

/** In memory and, when asked, as one JSON line each in a file. Values of settings are not in it. */
export class WriteLog {
  #writes: Write[] = [];
  #seq = 0;

  constructor(readonly file: string | null) {}

  all(): Write[] {
    return [...this.#writes];
  }

  clear(): void {
    this.#writes = [];
  }

  add(about: Omit<Write, 'seq' | 'time'>): Write {
    const write: Write = { seq: ++this.#seq, time: Date.now(), ...about };
    this.#writes.push(write);
    if (this.file !== null) appendFileSync(this.file, `${JSON.stringify(write)}\n`);
    return write;
  }
}
