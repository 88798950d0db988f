/** A rollout on one line, for logs and for terminals that cannot be redrawn. Pure. */
import { strange } from '../../model/traffic.js';
import type { RolloutView } from '../../model/view.js';
import { paint, piece } from './pieces.js';
import { left, stamp } from './time.js';
import { shortWord } from './words.js';

/** One line for a log: what changed, in full words. `heartbeat` marks one that only says it still lives. */
export function renderLine(view: RolloutView, now: number, heartbeat = false): string {
  const stage = view.stages.find(({ state }) => state === 'running');
  const { verdict, waitingFor } = view;
  const read = view.outcome === 'succeeded' ? null : strange(view);
  const parts = [
    `${heartbeat ? 'still ' : ''}${shortWord(view)}`,
    view.candidate === null
      ? null
      : `candidate ${view.candidate} has ${view.outcome === 'succeeded' ? 100 : view.weight} %`,
    read === null ? null : `read: ${read}`,
    view.kept?.unwatched === true ? 'nobody watches it' : null,
    stage === undefined ? null : `stage ${stage.name}${stage.current === null ? '' : `: ${stage.current}`}`,
    heartbeat && verdict !== null
      ? `${verdict.counted ?? 'users'}: stable ${verdict.stable.errors}/${verdict.stable.requests}, candidate ${verdict.candidate.errors}/${verdict.candidate.requests} errors/requests`
      : null,
    waitingFor === null
      ? null
      : `waits for ${waitingFor.what}${waitingFor.until === null ? '' : `, ${heartbeat ? left(waitingFor.until, now) : `until ${stamp(waitingFor.until)}`}`}`,
    heartbeat ? null : view.reason,
  ];
  const said = parts.filter((part) => part !== null).join(' · ');
  return paint([piece(`${stamp(now)} ${view.app}/${view.environment} ${said}`)], false);
}
