/** A new clone knows no durations, and jest then goes by the size of files: whole rollouts would begin last and end alone. */
import Sequencer from '@jest/test-sequencer';

/** Where suites take longest, first to last. */
const LONGEST = ['/long/leaks', '/long/kill', '/long/', '/workflows/', '/e2e/', '/conformance/', '/platform/'];

export default class LongestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const found = LONGEST.findIndex((part) => path.includes(`/test${part}`));
      return found === -1 ? LONGEST.length : found;
    };
    return [...super.sort(tests)].sort((a, b) => rank(a) - rank(b));
  }
}
