import { ALL, DEPLOY_STAGE, planOf, type SpecOf, stepsAt } from './steps.js';
import type { Plan } from './types.js';

/**
 * The earlier release served all users before, so that going back to it is no experiment: it is still there, its capacity is
 * waited for within a deadline and no longer, then it gets all traffic. The look afterwards warns and takes nothing back.
 */
export function planUndo(spec: SpecOf<'undo'>): Plan {
  const [none, all] = [stepsAt(spec, 0), stepsAt(spec, 100)];
  return planOf(spec, [
    { name: DEPLOY_STAGE, steps: none.ready() },
    { name: ALL, steps: [...all.promote(), ...all.look(spec.strategy.bake), ...all.finish()] },
  ]);
}
