/**
 * Compares once more: half the traffic goes back for as long as the bake, watched; then forward again, and the bake runs once
 * more. It is done if the bake before it asked for it, and skipped otherwise.
 */
import { duration } from '../../../src/model/text.js';
import type { CompareStep, Stage } from '../../../src/strategies/types.js';
import type { Outcome } from '../outcome.js';
import type { Parts } from '../parts.js';
import { makeStable } from './promote.js';
import { giveWeight } from './shift.js';

export async function compare(parts: Parts, stage: Stage, step: CompareStep): Promise<Outcome> {
  const { run, flow, watching } = parts;
  const { state, journal } = run;
  const { compare: here } = state.step;
  if (here === undefined) return 'done';
  if (here.at === 'back') {
    const outcome = await giveWeight(parts, `${step.id}.back`, step.weight, step.deadline);
    if (outcome !== 'done') return outcome;
    here.at = 'watch';
  }
  if (here.at === 'watch') {
    here.until ??= Date.now() + step.duration;
    watching.ensure();
    journal.enter('baking', `back at ${step.weight} %, to see whether the release is at fault`);
    journal.deadline(here.until);
    const left = here.until - Date.now();
    const waited = await flow.until(() => false, left, `compare at ${step.weight} % for ${duration(left)}`);
    if (waited !== 'elapsed') return waited === 'asked' ? 'again' : waited;
    // The last counts decide too: a release that they speak against does not go forward.
    const report = await watching.stop();
    if (report?.verdict.state === 'unhealthy') return 'unhealthy';
    here.at = 'forward';
  }
  const outcome = await makeStable(parts, `${step.id}.forward`, step.deadline);
  if (outcome !== 'done') return outcome;
  journal.event(`stage ${stage.name}: the release is no worse than the old one; moving forward again`);
  // They were for the bake before the comparison.
  delete run.requests.skip;
  delete run.requests.promote;
  return { goTo: { ...state.cursor, step: state.cursor.step - 1 } };
}
