/** The message that a webhook gets. */
import { createHash } from 'node:crypto';
import type { NotifyEvent } from '../../activities/types.js';
import type { RolloutView, WaitingFor } from '../model/view.js';

/** The JSON body of a webhook call. */
export interface NotifyMessage {
  type: NotifyEvent['type'];
  app: string;
  environment: string;
  run: string;
  strategy: RolloutView['strategy'];
  phase: RolloutView['phase'];
  outcome?: NonNullable<RolloutView['outcome']>;
  reason?: string;
  waitingFor?: WaitingFor;
  view: RolloutView;
  /** ms since the epoch: when the rollout asked for this message, the same for each try. */
  at: number;
  /** The same for each try of one message, so that a receiver can tell a repetition. */
  id: string;
}

/** What makes one message the same message when it is tried again. */
export interface Occasion {
  at: number;
  /** Unique for the message within everything Sluice sends. */
  key: string;
}

/** The message of an event. Pure. */
export function messageOf({ type, view }: NotifyEvent, { at, key }: Occasion): NotifyMessage {
  const { app, environment, run, strategy, phase, outcome, reason, waitingFor } = view;
  return {
    type,
    app,
    environment,
    run,
    strategy,
    phase,
    ...(outcome === null ? {} : { outcome }),
    ...(reason === null ? {} : { reason }),
    ...(waitingFor === null ? {} : { waitingFor }),
    view,
    at,
    id: createHash('sha256').update(key).digest('hex').slice(0, 32),
  };
}
