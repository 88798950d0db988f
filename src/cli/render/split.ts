/** Where the traffic is: `stable 41 ██████████░░ candidate 42 10 %`. */
import { environmentsNote } from '../../model/environments.js';
import { trafficOf, trafficWords, unwatchedNote } from '../../model/rollout/words.js';
import type { RolloutView } from '../../model/view.js';
import type { Line } from './pieces.js';
import { piece } from './pieces.js';

const WIDEST = 40;
const NARROWEST = 10;

/** The split as a bar where two releases share it; else in the words of every view. */
export function splitLine(view: RolloutView, width: number): Line {
  const traffic = trafficOf(view);
  switch (traffic.kind) {
    case 'unread':
    case 'none':
      return [piece(trafficWords(view), 'dim')];
    case 'foreign':
      return [piece(trafficWords(view), 'yellow')];
    case 'all':
      return [piece(trafficWords(view), 'cyan')];
    case 'split': {
      const { stable, candidate, weight } = traffic;
      const left = `stable ${stable ?? 'none'} `;
      const right = ` candidate ${candidate} ${weight} %${environmentsNote(view)}${unwatchedNote(view)}`;
      const columns = Math.max(NARROWEST, Math.min(WIDEST, width - left.length - right.length));
      return [piece(left, 'cyan'), ...bar(weight, columns), piece(right, 'yellow')];
    }
  }
}

/** Stable's part full, the candidate's light; any weight at all is seen, and so is any rest. */
export function bar(weight: number, columns: number): Line {
  const exact = Math.round((weight / 100) * columns);
  const candidate = weight > 0 && weight < 100 ? Math.min(columns - 1, Math.max(1, exact)) : exact;
  return [piece('█'.repeat(columns - candidate), 'cyan'), piece('░'.repeat(candidate), 'yellow')].filter(
    ({ text }) => text !== '',
  );
}
