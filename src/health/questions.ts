/** What the sources were asked last, for a person who checks a verdict by hand. */
import { clean } from '../model/text.js';
import type { Asked } from '../model/view.js';
import type { Asked as Question } from './sources/index.js';

/** Characters of a question and of an answer: they travel with every heartbeat. */
const CUT = 200;
/** Questions kept of a source: requests, errors and slow answers of two releases. */
const MOST = 6;

export class Questions {
  private asked: Asked[];

  /** Goes on with what an earlier attempt has shown. */
  constructor(before: readonly Asked[] = []) {
    this.asked = [...before];
  }

  /** A read that asked nobody leaves what was asked before. */
  note(source: string, asked: Question[]): void {
    if (asked.length === 0) return;
    const now = asked
      .slice(0, MOST)
      .map(({ query, answer }) => ({ source, query: clean(query, CUT), answer: clean(answer, CUT) }));
    this.asked = [...this.asked.filter((one) => one.source !== source), ...now];
  }

  all(): Asked[] {
    return this.asked;
  }
}
