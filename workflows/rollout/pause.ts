/**
 * A pause keeps the weight and the watcher, and stops the clock of the bake. An open approval can still be answered, and its
 * deadline keeps running.
 */
import { duration } from '../../src/model/text.js';
import type { Step } from '../../src/strategies/types.js';
import type { Outcome } from './outcome.js';
import type { Parts } from './parts.js';
import type { Run } from './run.js';

export async function pause({ run, flow, watching }: Parts, step: Step): Promise<Outcome> {
  const { state, requests, journal, spec } = run;
  const here = state.step;
  const paused = begun(run);
  // One that was decided before waits for the pause, whose end alone counts then.
  const gate = here.gate?.decision == null ? here.gate : undefined;
  const until = gate === undefined ? paused.until : Math.min(paused.until, gate.until);
  journal.enter('paused', `paused by ${paused.by}`);
  journal.deadline(until);
  if (state.weight > 0 && here.harmKnown !== true) watching.ensure();
  const left = until - Date.now();
  const asked = () =>
    requests.resume !== undefined || requests.promote !== undefined || here.gate?.decision?.approved === false;
  const approved = () => gate?.decision?.approved === true;
  const waited = await flow.until(() => asked() || approved(), left, `paused, for ${duration(left)} at most`);
  if (waited !== 'asked' && waited !== 'elapsed') return waited;
  if (waited === 'asked' && !asked()) {
    journal.event(`stage ${gate?.stage} approved; the rollout continues once resumed`, gate?.decision?.by);
    return 'again';
  }
  delete requests.resume;
  // It ends this pause and the bake that the pause interrupted, never a bake that is still to come.
  if (step.kind !== 'bake') delete requests.promote;
  state.pause = null;
  if (waited === 'asked' || (gate !== undefined && until === gate.until)) return 'again';
  if (run.isUndo) {
    journal.event(`the pause by ${paused.by} has lasted ${duration(spec.deadlines.pause)} and ends`);
    return 'again';
  }
  const reason = `paused by ${paused.by} for longer than ${duration(spec.deadlines.pause)}`;
  return { leave: { outcome: 'rolledBack', reason, code: null } };
}

/** The running pause, or the one that was requested; either stops the clock of a bake. */
function begun({ state, requests, spec }: Run): { by: string; until: number } {
  const now = Date.now();
  const { step: here } = state;
  const by = requests.pause?.by ?? 'someone';
  delete requests.pause;
  if (state.pause !== null) return state.pause;
  if (here.until !== undefined) {
    here.left = Math.max(0, here.until - now);
    delete here.until;
  }
  state.pause = { by, since: now, until: now + spec.deadlines.pause };
  return state.pause;
}
