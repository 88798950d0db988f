/** Makes the candidate the stable release, in one write that can still be rolled back. */
import type { StepOf } from '../../../src/strategies/types.js';
import { forward } from '../../calls.js';
import type { Outcome } from '../outcome.js';
import type { Parts } from '../parts.js';
import { rights, write } from './write.js';

export async function promote(parts: Parts, step: StepOf<'promote'>): Promise<Outcome> {
  const outcome = await makeStable(parts, step.id, step.deadline);
  if (outcome === 'done') {
    parts.run.state.promoted = true;
    parts.run.state.full = false;
  }
  return outcome;
}

/** `id` names the write. */
export function makeStable(parts: Parts, id: string, deadline: number): Promise<Outcome> {
  const { spec, release, state } = parts.run;
  const candidate = release.version;
  const call = forward(spec, deadline, `make ${candidate} the stable release`);
  return write(parts, id, 'promoting', 100, (fence) => call.promote({ spec, candidate, fence, ...rights(state) }));
}
