/** Gives the candidate its share of the traffic. */
import type { StepOf } from '../../../src/strategies/types.js';
import { forward } from '../../calls.js';
import type { Outcome } from '../outcome.js';
import type { Parts } from '../parts.js';
import { rights, write } from './write.js';

export async function shift(parts: Parts, step: StepOf<'shift'>): Promise<Outcome> {
  // `promote --full` skips the smaller weights.
  if (parts.run.state.full) return 'done';
  return giveWeight(parts, step.id, step.weight, step.deadline);
}

/** `id` names the write. */
export function giveWeight(parts: Parts, id: string, weight: number, deadline: number): Promise<Outcome> {
  const { spec, stable, release, state } = parts.run;
  const candidate = release.version;
  const call = forward(spec, deadline, `give ${candidate} ${weight} % of traffic`);
  return write(parts, id, 'shifting', weight, (fence) =>
    call.shift({ spec, stable, candidate, weight, fence, ...rights(state) }),
  );
}
