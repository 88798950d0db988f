/** What each kind of step does: one file per kind. */
import type { Stage, Step } from '../../../src/strategies/types.js';
import type { Outcome } from '../outcome.js';
import type { Parts } from '../parts.js';
import { approve } from './approve.js';
import { bake } from './bake.js';
import { compare } from './compare.js';
import { deploy } from './deploy.js';
import { finish } from './finish.js';
import { probe } from './probe.js';
import { promote } from './promote.js';
import { shift } from './shift.js';
import { warm } from './warm.js';

/** Runs the step, or continues it after a continue-as-new, a hold or a pause. */
export function perform(parts: Parts, stage: Stage, step: Step): Promise<Outcome> {
  switch (step.kind) {
    case 'deploy':
      return deploy(parts, step);
    case 'warm':
      return warm(parts, step);
    case 'probe':
      return probe(parts, stage, step);
    case 'shift':
      return shift(parts, step);
    case 'promote':
      return promote(parts, step);
    case 'bake':
      return bake(parts, stage, step);
    case 'compare':
      return compare(parts, stage, step);
    case 'approve':
      return approve(parts, stage, step);
    case 'finish':
      return finish(parts);
  }
}
