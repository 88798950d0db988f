/** What the sources were asked last, for a person who checks a verdict by hand. */
import { clean } from '../../src/model/text.js';
import type { Asked } from './sources/index.js';

/** Characters of a question and of an answer: they travel with every heartbeat. */
const CUT = 200;
/** Questions kept of a source: requests, errors and slow answers of two releases. */
const MOST = 6;

export class Questions {
  private readonly bySource: Record<string, Asked[]>;

  /** Goes on with what an earlier attempt has shown. */
  constructor(before: Record<string, Asked[]> = {}) {
    this.bySource = { ...before };
  }

  /** A read that asked nobody leaves what was asked before. */
  note(source: string, asked: Asked[]): void {
    if (asked.length === 0) return;
    this.bySource[source] = asked
      .slice(0, MOST)
      .map(({ query, answer }) => ({ query: clean(query, CUT), answer: clean(answer, CUT) }));
  }

  report(): { asked?: Record<string, Asked[]> } {
    return Object.keys(this.bySource).length === 0 ? {} : { asked: { ...this.bySource } };
  }
}
