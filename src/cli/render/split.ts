/** Where the traffic is: `stable 41 ██████████░░ candidate 42 10 %`. */
import { environmentsNote } from '../../model/environments.js';
import { strange } from '../../model/traffic.js';
import { unplanned } from '../../model/unplanned.js';
import type { RolloutView } from '../../model/view.js';
import type { Line } from './pieces.js';
import { piece } from './pieces.js';

const WIDEST = 40;
const NARROWEST = 10;

export function splitLine(view: RolloutView, width: number): Line {
  const live = environmentsNote(view);
  if (view.outcome === 'succeeded') return whole(view.candidate, live);
  const alone = view.kept?.unwatched === true ? ' (nobody watches it)' : '';
  const unread = unplanned(view);
  if (unread !== null) return [piece(unread, 'dim')];
  const read = strange(view);
  if (read !== null) return [piece(`read: ${read}${alone}`, 'yellow')];
  if (view.stable === null && view.weight === 0) return nothingLive(view.candidate);
  const left = `stable ${view.stable ?? 'none yet'} `;
  if (view.candidate === null) return whole(view.stable, live);
  const right = ` candidate ${view.candidate} ${view.weight} %${live}${alone}`;
  const columns = Math.max(NARROWEST, Math.min(WIDEST, width - left.length - right.length));
  return [piece(left, 'cyan'), ...bar(view.weight, columns), piece(right, 'yellow')];
}

function nothingLive(candidate: string | null): Line {
  return [piece(`nothing is live yet${candidate === null ? '' : `; candidate ${candidate} has no traffic`}`, 'dim')];
}

function whole(release: string | null, live: string): Line {
  return [piece(`release ${release ?? '?'} has 100 %${live}`, 'cyan')];
}

/** Stable's part full, the candidate's light; any weight at all is seen, and so is any rest. */
export function bar(weight: number, columns: number): Line {
  const exact = Math.round((weight / 100) * columns);
  const candidate = weight > 0 && weight < 100 ? Math.min(columns - 1, Math.max(1, exact)) : exact;
  return [piece('█'.repeat(columns - candidate), 'cyan'), piece('░'.repeat(candidate), 'yellow')].filter(
    ({ text }) => text !== '',
  );
}
