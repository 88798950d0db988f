/** Follows a rollout of the demo to its end, or to where it cannot come to one by itself. */
import { setTimeout as pause } from 'node:timers/promises';
import { clean } from '../model/text.js';
import type { RolloutView } from '../model/view.js';

/** Between two looks, in ms. */
const EVERY = 250;
/** A rollout of which nothing has changed for this long comes to no end, in ms: more than any bake of the demo takes. */
const STILL = 180_000;

export interface Following {
  look(): Promise<RolloutView>;
  show(view: RolloutView): void;
  /** Answers the open approval of a stage; asked once for each stage. */
  approve(stage: string): Promise<void>;
}

/** The last view, and why it is not the view of an end; null: it is. */
export interface Followed {
  view: RolloutView | null;
  why: string | null;
}

/** `still`: ms without a change after which to give up. Rejects if the rollout cannot be read for that long. */
export async function follow({ look, show, approve }: Following, still = STILL): Promise<Followed> {
  const approved = new Set<string>();
  let view: RolloutView | null = null;
  let changed = Date.now();
  let before = '';
  for (;;) {
    try {
      view = await look();
    } catch (error) {
      if (Date.now() - changed > still) throw error;
      await pause(EVERY);
      continue;
    }
    show(view);
    if (view.phase === 'done') return { view, why: null };
    if (view.phase === 'held' || view.phase === 'stuck') return { view, why: `${view.phase}: ${clean(view.reason)}` };
    const gate = view.phase === 'awaitingApproval' ? view.waitingFor?.stage : undefined;
    if (gate != null && !approved.has(gate)) {
      approved.add(gate);
      await approve(gate);
    }
    const now = JSON.stringify([view.phase, view.weight, view.reason, view.eventsTotal]);
    if (now !== before) changed = Date.now();
    else if (Date.now() - changed > still) {
      return { view, why: `nothing has changed for ${still / 1000} s; it is ${view.phase}` };
    }
    before = now;
    await pause(EVERY);
  }
}
