/** A rollout on one line, for logs and for terminals that cannot be redrawn. Pure. */

import { shortWord, trafficWords, waitingWords } from '../../model/rollout/words.js';
import type { RolloutView } from '../../model/view.js';
import { paint, piece } from './pieces.js';
import { left, stamp } from './time.js';

/** One line for a log: what changed, in full words. `heartbeat` marks one that only says it still lives. */
export function renderLine(view: RolloutView, now: number, heartbeat = false): string {
  const stage = view.stages.find(({ state }) => state === 'running');
  const { verdict } = view;
  const parts = [
    `${heartbeat ? 'still ' : ''}${shortWord(view)}`,
    trafficWords(view),
    stage === undefined ? null : `stage ${stage.name}${stage.current === null ? '' : `: ${stage.current}`}`,
    heartbeat && verdict !== null
      ? `${verdict.counted ?? 'users'}: stable ${verdict.stable.errors}/${verdict.stable.requests}, candidate ${verdict.candidate.errors}/${verdict.candidate.requests} errors/requests`
      : null,
    waitingWords(view, heartbeat ? (until) => left(until, now) : undefined),
    heartbeat ? null : view.reason,
  ];
  const said = parts.filter((part) => part !== null).join(' · ');
  return paint([piece(`${stamp(now)} ${view.app}/${view.environment} ${said}`)], false);
}
