/** The colours and signs of a rollout on a terminal and in a report; its words are those of `src/model/rollout/words.ts`. */
import { percent as percentOf } from '../../model/numbers.js';
import { type State, signOf } from '../../model/rollout/words.js';
import type { RolloutView, StageView } from '../../model/view.js';
import type { Style } from './pieces.js';

export function stateStyle(view: State): Style {
  switch (view.outcome ?? view.phase) {
    case 'succeeded':
    case 'nothingToRelease':
      return 'green';
    case 'rolledBack':
    case 'rejected':
    case 'failed':
    case 'stuck':
    case 'restoring':
      return 'red';
    case 'awaitingApproval':
    case 'held':
    case 'paused':
    case 'superseded':
    case 'abandoned':
      return 'yellow';
    default:
      return 'cyan';
  }
}

export interface Sign {
  text: string;
  style: Style;
}

/** Of the rollout. */
export function stateSign(view: State): Sign {
  return { text: signOf(view), style: stateStyle(view) };
}

/** Of a stage. */
export function stageSign(stage: StageView, view: RolloutView): Sign {
  switch (stage.state) {
    case 'passed':
      return { text: '✔', style: 'green' };
    case 'running':
      return view.phase === 'paused' ? { text: '‖', style: 'yellow' } : { text: '◐', style: 'cyan' };
    case 'waiting':
      return { text: '○', style: 'dim' };
    case 'failed':
      return { text: '✖', style: 'red' };
    case 'skipped':
      return { text: '–', style: 'dim' };
  }
}

/** `0.6 %`; a dash where nothing was counted. */
export function percent(part: number, of: number): string {
  return of === 0 ? '–' : percentOf(part / of);
}
