/** The words and signs every view uses for the same thing. */
import type { RolloutView, StageView } from '../../model/view.js';
import type { Style } from './pieces.js';

const WORDS: Record<string, string> = {
  awaitingApproval: 'waiting for an approval',
  rolledBack: 'rolled back',
  nothingToRelease: 'nothing to release',
  abandoned: "abandoned: somebody else's change was kept",
  restoring: 'going back',
  held: 'held: a person must decide',
  stuck: 'stuck: needs a person',
};

/** The state in words: the outcome once there is one, else the phase. */
export function stateWord(view: Pick<RolloutView, 'phase' | 'outcome'> | { phase: null; outcome: null }): string {
  const word = view.outcome ?? view.phase ?? 'running';
  return WORDS[word] ?? word;
}

/** The same without its explanation. */
export function shortWord(view: Pick<RolloutView, 'phase' | 'outcome'>): string {
  return stateWord(view).split(':')[0] ?? '';
}

export function stateStyle(view: Pick<RolloutView, 'phase' | 'outcome'>): Style {
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
export function stateSign(view: Pick<RolloutView, 'phase' | 'outcome'>): Sign {
  const style = stateStyle(view);
  if (style === 'green') return { text: '✔', style };
  if (view.phase === 'paused') return { text: '‖', style };
  return { text: style === 'red' ? '✖' : '◐', style };
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
  if (of === 0) return '–';
  const share = (part / of) * 100;
  return `${share >= 10 || share === 0 ? Math.round(share) : Number(share.toPrecision(2))} %`;
}
