/** What the judge remembers of its sources, and how a tick changes it. Pure. */
import { clean } from '../model/text.js';
import type { Counts, JudgeState, SourceState, Tick } from './types.js';

/** A source is blind when it could not be read this often in a row: once is an accident, three times is a state. */
export const BLIND_AFTER = 3;
/** Characters kept of the reason: the state travels with every heartbeat, and stays below 1 KB. */
const WHY = 160;

const NEW: SourceState = { lastId: -1, stable: null, candidate: null, read: false, blindTicks: 0 };

/** The state after `tick`. A tick whose id is not above the source's last one changes nothing, so none counts twice. */
export function take(state: JudgeState, tick: Tick): JudgeState {
  const before = Object.hasOwn(state.sources, tick.source) ? (state.sources[tick.source] ?? NEW) : NEW;
  if (!(tick.id > before.lastId)) return state;
  return { sources: { ...state.sources, [tick.source]: after(before, tick) } };
}

function after(before: SourceState, tick: Tick): SourceState {
  const { lastId: _, blindWhy: __, ...kept } = before;
  if (tick.blind !== undefined) {
    return { ...kept, lastId: tick.id, blindTicks: before.blindTicks + 1, blindWhy: clean(tick.blind, WHY) };
  }
  if (tick.mode === 'total') {
    return { lastId: tick.id, stable: tick.stable, candidate: tick.candidate, read: true, blindTicks: 0 };
  }
  const counted = { stable: add(kept.stable, tick.stable), candidate: add(kept.candidate, tick.candidate) };
  // News of the stable release alone is no proof that the candidate can be seen again.
  return tick.candidate === null
    ? { ...before, ...counted, lastId: tick.id }
    : { ...counted, lastId: tick.id, read: true, blindTicks: 0 };
}

/** Both together; null when neither says anything. */
export function add(one: Counts | null, other: Counts | null): Counts | null {
  if (one === null || other === null) return one ?? other;
  return { requests: one.requests + other.requests, errors: one.errors + other.errors };
}

/** All sources of one release together; zeros when none says anything. */
export function sum(state: JudgeState, arm: 'stable' | 'candidate'): Counts {
  const none: Counts = { requests: 0, errors: 0 };
  return Object.values(state.sources).reduce<Counts>((all, source) => add(all, source[arm]) ?? all, none);
}
