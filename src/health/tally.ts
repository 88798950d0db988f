/** Why probes of the candidate failed, and how often. */
import { clean } from '../model/text.js';
import type { ErrorSample } from '../platforms/port.js';

/** Different reasons that are kept apart; a release that fails in more ways is bad enough. */
const MOST_KINDS = 50;
/** Samples shown to a person. */
const SHOWN = 3;

/** Most frequent first, three at most. */
export function worst(samples: ErrorSample[]): ErrorSample[] {
  return [...samples].sort((a, b) => b.count - a.count).slice(0, SHOWN);
}

export class Tally {
  private readonly kinds = new Map<string, ErrorSample>();

  /** Goes on with what an earlier attempt has shown. */
  constructor(before: ErrorSample[] = []) {
    for (const sample of before) this.kinds.set(kindOf(sample.what), { ...sample });
  }

  add(why: string): void {
    const what = clean(why);
    const known = this.kinds.get(kindOf(what));
    if (known !== undefined) known.count += 1;
    else if (this.kinds.size < MOST_KINDS) this.kinds.set(kindOf(what), { what, count: 1 });
  }

  top(): ErrorSample[] {
    return worst([...this.kinds.values()]);
  }
}

/** The same failure with another number in its text is the same failure. */
function kindOf(what: string): string {
  return what.replace(/\d+/g, '#');
}
